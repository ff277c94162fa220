import { pointsSuite } from './points.ts'

pointsSuite()
