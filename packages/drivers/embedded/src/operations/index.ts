import { accept } from './accept.ts'
import { claimKey, completeClaim, releaseClaim, renewClaim, tallyBot } from './claims.ts'
import {
  buryForeign,
  discardDeadLetters,
  lastDeadLetter,
  listDeadLetters,
  redriveDeadLetters,
} from './dead-letters.ts'
import { settle, takeDeliveries } from './deliveries.ts'
import { countBacklog, declareBots, retireBot, standing } from './registry.ts'
import { endSession, renewSession } from './sessions.ts'
import { readShared, writeShared } from './shared.ts'
import { sweep } from './sweep.ts'

/** All that can be asked of the file. Each is one atomic step: `(turn, args) => result`. */
export const operations = {
  accept,
  declareBots,
  retireBot,
  standing,
  countBacklog,
  renewSession,
  endSession,
  takeDeliveries,
  settle,
  listDeadLetters,
  lastDeadLetter,
  redriveDeadLetters,
  discardDeadLetters,
  claimKey,
  renewClaim,
  completeClaim,
  releaseClaim,
  tallyBot,
  buryForeign,
  readShared,
  writeShared,
  sweep,
}

export type Operations = typeof operations
export type OperationName = keyof Operations
export type ArgsOf<Name extends OperationName> = Parameters<Operations[Name]>[1]
export type ResultOf<Name extends OperationName> = ReturnType<Operations[Name]>
