import 'reflect-metadata'
import type { AddressInfo } from 'node:net'
import { Module, type INestApplication, type ModuleMetadata, type Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import type { TriggerHub } from '@trigger-hub/core'
import { TriggerHubModule } from '../src/index.ts'

const quiet = { logger: false, abortOnError: false } as const

/** The platforms of Nest, and how an app is made on each. */
export const platforms: [string, (root: Type) => Promise<INestApplication>][] = [
  ['Express', (root) => NestFactory.create(root, quiet)],
  ['Fastify', (root) => NestFactory.create(root, new FastifyAdapter(), quiet)],
]

export type Create = (typeof platforms)[number][1]

/** A root module of these parts. */
export function rootOf(metadata: ModuleMetadata): Type {
  class Root {}
  Module(metadata)(Root)
  return Root
}

/** Serves an app on a port of its own. */
export async function serve(app: INestApplication): Promise<{ url: string; close: () => Promise<void> }> {
  await app.listen(0, '127.0.0.1')
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address()
  return { url: `http://127.0.0.1:${port}`, close: () => app.close() }
}

/** A hub that is there already, in an app of its own, its sources below `/webhooks`. */
export const mount = async (hub: TriggerHub, create: Create): ReturnType<typeof serve> =>
  serve(await create(rootOf({ imports: [TriggerHubModule.forRoot({ hub, role: 'receiver' })] })))
