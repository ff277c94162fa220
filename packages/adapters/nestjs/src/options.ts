import type { InjectionToken, ModuleMetadata, OptionalFactoryDependency } from '@nestjs/common'
import {
  SetupError,
  TriggerHub,
  able,
  oneOf,
  optionsOf,
  type Sources,
  type TriggerHubOptions,
} from '@trigger-hub/core'
import { nestLog } from './nest-log.ts'

/** What this process does: take requests, run bots, or both. A worker needs no HTTP. */
export type Role = 'receiver' | 'worker' | 'both'

/** The options of the hub, and where it stands in the app. */
export interface TriggerHubModuleOptions<S extends Sources = Sources> extends TriggerHubOptions<S> {
  /** A hub that is there already, instead of the options for one. */
  hub?: TriggerHub<S>
  /** Where the sources are, below the app's global prefix: `POST <prefix>/<source>`. Default `'/webhooks'`. */
  prefix?: string
  /** Default `'both'`. */
  role?: Role
}

/** How `forRootAsync` comes by its options. */
export interface TriggerHubModuleAsyncOptions {
  imports?: NonNullable<ModuleMetadata['imports']>
  /** What the factory is given, in order. */
  inject?: (InjectionToken | OptionalFactoryDependency)[]
  // a factory takes whatever is injected
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  useFactory: (...injected: any[]) => TriggerHubModuleOptions | Promise<TriggerHubModuleOptions>
}

/** Token of the module's options, to be overridden in tests. */
export const TRIGGER_HUB_OPTIONS = Symbol.for('trigger-hub.options')

/**
 * The hub of these options, or a new one.
 * @throws SetupError as `new TriggerHub()`, and when there are options for a hub that is there already
 */
export function hubOf(all: TriggerHubModuleOptions): TriggerHub {
  const { hub, prefix: _prefix, role = 'both', ...options } = optionsOf('TriggerHubModule', all)
  oneOf('role', role, ['receiver', 'worker', 'both'])
  if (hub === undefined) return new TriggerHub({ log: nestLog, ...options })
  able('hub', hub, 'work', 'new TriggerHub(…)')
  const [option] = Object.keys(options)
  if (option === undefined) return hub
  throw new SetupError(
    'ERR_OPTION_INVALID',
    `Give "${option}" to the hub itself: option "hub" is one already.`,
  )
}
