import 'reflect-metadata'
import type { AddressInfo } from 'node:net'
import {
  Module,
  type HttpServer,
  type INestApplication,
  type ModuleMetadata,
  type Type,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import type { Incoming } from '@trigger-hub/core'

/** A platform of Nest; with a parser in front of everything, where it must not be, if so asked. */
export type Platform = (parserFirst: boolean) => HttpServer

/** An Express app that a parser was added to before Nest got it. */
const express: Platform = (parserFirst) => {
  const adapter = new ExpressAdapter()
  if (parserFirst)
    adapter.use((req: Incoming, _res: unknown, next: () => void) => req.resume().once('end', next))
  return adapter
}

/** A Fastify instance with a hook that reads the body itself. */
const fastify: Platform = (parserFirst) => {
  const adapter = new FastifyAdapter()
  if (parserFirst) {
    adapter.getInstance().addHook('onRequest', (request, _reply, done) => {
      request.raw.resume().once('end', () => done())
    })
  }
  return adapter
}

export const platforms = { Express: express, Fastify: fastify }

const quiet = { logger: false, abortOnError: false } as const

/** A root module of these parts. */
export function rootOf(metadata: ModuleMetadata): Type {
  class Root {}
  Module(metadata)(Root)
  return Root
}

/** An app that does not listen yet. */
export const create = (root: Type, platform: Platform, parserFirst = false): Promise<INestApplication> =>
  NestFactory.create(root, platform(parserFirst) as never, quiet)

/** An app on a port of its own. */
export async function listening(app: INestApplication): Promise<{ url: string; close: () => Promise<void> }> {
  await app.listen(0, '127.0.0.1')
  const server = app.getHttpServer() as { address(): AddressInfo; closeAllConnections(): void }
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: async () => {
      server.closeAllConnections()
      await app.close()
    },
  }
}
