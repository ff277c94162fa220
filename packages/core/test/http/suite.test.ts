import { adapterSuite } from '@trigger-hub/conformance'
import { serve } from './serve.ts'

adapterSuite({ describe, it }, 'node:http', serve)
