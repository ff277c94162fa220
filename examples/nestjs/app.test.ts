import { join } from 'node:path'
import { exampleSuite } from '../shared/example-suite.ts'

exampleSuite(join(__dirname, 'main.ts'))
