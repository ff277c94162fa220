import { raceSuite } from './race.ts'

describe('two processes on one file', () => raceSuite())
