import { adapterSuite } from '@trigger-hub/conformance'
import { majors, serve } from './serve.ts'

for (const [name, Koa] of Object.entries(majors)) adapterSuite({ describe, it }, name, serve(Koa))
