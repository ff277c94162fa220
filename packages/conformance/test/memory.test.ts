import { memory } from '@trigger-hub/core/memory'
import { driverSuite, storeSuite } from '@trigger-hub/conformance'

describe('memory() as a driver', () => driverSuite({ describe, it }, ({ clock }) => memory({ clock })))
describe('memory() as a store', () => storeSuite({ describe, it }, ({ clock }) => memory({ clock })))
