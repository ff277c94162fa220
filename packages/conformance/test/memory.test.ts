import { memory } from '@trigger-hub/core/memory'
import { driverSuite } from '@trigger-hub/conformance'

driverSuite({ describe, it }, ({ clock }) => memory({ clock }))
