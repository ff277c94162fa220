import { Logger } from '@nestjs/common'
import type { Log } from '@trigger-hub/core'

const logger = new Logger('TriggerHub')

/** Warnings and errors go where the app's go. */
export const nestLog: Log = ({ level, code, message }) => logger[level](`${code}: ${message}`)
