import { sharedMemory } from '../src/broken/shared-memory.ts'
import { driverSuite } from '@trigger-hub/conformance'

driverSuite({ describe, it }, sharedMemory())
