import type { Serve } from '@trigger-hub/conformance'
import { createServer } from '@trigger-hub/express'
import express from 'express'
import Koa from 'koa'
import { serve as serveExpress } from '../../packages/adapters/express/test/serve.ts'
import { serve as serveKoa } from '../../packages/adapters/koa/test/serve.ts'
import { platforms } from '../../packages/adapters/nestjs/test/app.ts'
import { serve as serveNest } from '../../packages/adapters/nestjs/test/serve.ts'
import { serve as serveNode } from '../../packages/core/test/http/serve.ts'

/** Each adapter once, with the newest major that jest can load. */
export const adapters: Readonly<Record<string, Serve>> = {
  Express: serveExpress(express, (app) => createServer(app).listen(0, '127.0.0.1')),
  Koa: serveKoa(Koa),
  ...Object.fromEntries(
    Object.entries(platforms).map(([name, platform]) => [`Nest on ${name}`, serveNest(platform)]),
  ),
  'node:http': serveNode,
}
