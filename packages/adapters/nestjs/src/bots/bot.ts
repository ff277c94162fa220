import { SetMetadata } from '@nestjs/common'
import { optionsOf, type BotOptions } from '@trigger-hub/core'

/** How a bot is run, as for `hub.bot()`. */
export interface OnOptions extends Omit<BotOptions, 'on'> {
  /** Name of this bot, which tells whose progress and dead letters these are. Default: the name of the class's `@Bot`. */
  name?: string
}

/** What a decorated method hears, and how it is run. */
export interface Hearing extends OnOptions {
  readonly on: string | readonly string[]
}

export const botKey = 'trigger-hub:bot'
export const hearingKey = 'trigger-hub:on'

/** Names the bot whose handler is the `@On` method of this provider. */
export const Bot = (name: string): ClassDecorator => SetMetadata(botKey, name)

/**
 * Runs this method for every event that the pattern lets through: `'source:type'`, where `*` is one segment and `**` any
 * number. A second `@On` method of a class is a bot of its own and needs a name.
 */
export const On = (on: string | readonly string[], options: OnOptions = {}): MethodDecorator =>
  SetMetadata(hearingKey, { ...optionsOf('@On', options), on } satisfies Hearing)
