import { adapterSuite } from '@trigger-hub/conformance'
import { createServer } from '../src/index.ts'
import { majors, serve } from './serve.ts'

for (const [name, express] of Object.entries(majors)) {
  adapterSuite(
    { describe, it },
    `${name}, app.listen()`,
    serve(express, (app) => app.listen(0, '127.0.0.1')),
  )
  adapterSuite(
    { describe, it },
    `${name}, createServer(app)`,
    serve(express, (app) => createServer(app).listen(0, '127.0.0.1')),
  )
}
