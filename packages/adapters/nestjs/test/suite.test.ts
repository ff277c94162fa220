import { adapterSuite } from '@trigger-hub/conformance'
import { platforms } from './app.ts'
import { serve } from './serve.ts'

for (const [name, platform] of Object.entries(platforms)) {
  adapterSuite({ describe, it }, `Nest 11 on ${name}`, serve(platform))
}
