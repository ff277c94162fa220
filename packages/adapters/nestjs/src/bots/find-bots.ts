import { Inject, Injectable, type Type } from '@nestjs/common'
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core'
import { SetupError, TriggerHub, type BotOptions } from '@trigger-hub/core'
import { botKey, hearingKey, type Hearing } from './bot.ts'
import { MethodRunner, type Host } from './method-runner.ts'

/** Finds the `@On` methods of all providers and controllers. */
@Injectable()
export class BotFinder {
  readonly #discovery: DiscoveryService
  readonly #methods: MetadataScanner
  readonly #runner: MethodRunner
  readonly #metadata = new Reflector()

  constructor(
    @Inject(DiscoveryService) discovery: DiscoveryService,
    @Inject(MetadataScanner) methods: MetadataScanner,
    @Inject(MethodRunner) runner: MethodRunner,
  ) {
    this.#discovery = discovery
    this.#methods = methods
    this.#runner = runner
  }

  /**
   * Adds a bot to the hub for each of them; in an app of several hubs, for those that hear its sources.
   * @throws SetupError as `hub.bot`
   */
  addTo(hub: TriggerHub): void {
    const providers = this.#discovery.getProviders()
    const hubs = providers
      .filter(({ token }) => token === TriggerHub)
      .map(({ instance }) => instance as TriggerHub)
    const others = hubs.filter((one) => one !== hub)
    const isOurs = ({ on }: Hearing): boolean =>
      others.length === 0 || hears(hub, on) || !others.some((other) => hears(other, on))
    const seen = new Set<unknown>()
    for (const host of [...providers, ...this.#discovery.getControllers()]) {
      const type = classOf(host)
      if (!type || (host.isDependencyTreeStatic() && seen.has(host.instance))) continue
      seen.add(host.instance) // an alias has the same instance
      this.#addOf(type, host, hub, isOurs)
    }
  }

  #addOf(type: Type, host: Host, hub: TriggerHub, isOurs: (hearing: Hearing) => boolean): void {
    const ofClass = this.#metadata.get<string | undefined>(botKey, type)
    let unnamed = 0
    let found = 0
    for (const method of this.#methods.getAllMethodNames(type.prototype as object)) {
      const hearing = this.#hearingOf(type, method)
      if (!hearing) continue
      found++
      const { name = ofClass, ...options } = hearing
      if (hearing.name === undefined) unnamed++
      if (name === undefined || unnamed > 1) throw nameless(type, method, ofClass)
      if (isOurs(hearing)) hub.bot(name, options as BotOptions<never>, this.#runner.handlerOf(host, method))
    }
    if (ofClass !== undefined && found === 0) throw deaf(type, ofClass)
  }

  #hearingOf(type: Type, method: string): Hearing | undefined {
    const callback = (type.prototype as Record<string, unknown>)[method]
    return typeof callback === 'function' ? this.#metadata.get(hearingKey, callback as never) : undefined
  }
}

/** Whether a hub has one of the sources; `*` is any. */
const hears = (hub: TriggerHub, on: Hearing['on']): boolean =>
  [on]
    .flat()
    .map(String) // what is no text, the hub refuses
    .some((pattern) => pattern.startsWith('*:') || hub.verifier(pattern.split(':', 1)[0] ?? '') !== undefined)

function classOf(host: Host): Type | undefined {
  const type: unknown = host.isDependencyTreeStatic()
    ? (host.instance as object | undefined)?.constructor
    : host.metatype
  return typeof type === 'function' && typeof type.prototype === 'object' ? (type as Type) : undefined
}

const nameless = (type: Type, method: string, ofClass: string | undefined): SetupError =>
  new SetupError(
    'ERR_BOT_INVALID',
    ofClass === undefined
      ? `${type.name}.${method} has @On and no name: put @Bot('a-name') on the class.`
      : `${type.name}.${method} is one more bot of the class: name it, @On('…', { name: '${ofClass}.${method}' }).`,
  )

const deaf = (type: Type, ofClass: string): SetupError =>
  new SetupError(
    'ERR_BOT_INVALID',
    `${type.name} has @Bot('${ofClass}') and hears nothing: put @On('source:pattern') on its method.`,
  )
