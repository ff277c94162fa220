import { Inject, Injectable, type Type } from '@nestjs/common'
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core'
import { SetupError, type BotOptions, type TriggerHub } from '@trigger-hub/core'
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

  /** Adds a bot to the hub for each of them. @throws SetupError as `hub.bot` */
  addTo(hub: TriggerHub): void {
    const seen = new Set<unknown>()
    for (const host of [...this.#discovery.getProviders(), ...this.#discovery.getControllers()]) {
      const type = classOf(host)
      if (!type || (host.isDependencyTreeStatic() && seen.has(host.instance))) continue
      seen.add(host.instance) // an alias has the same instance
      this.#addOf(type, host, hub)
    }
  }

  #addOf(type: Type, host: Host, hub: TriggerHub): void {
    const ofClass = this.#metadata.get<string | undefined>(botKey, type)
    let unnamed = 0
    for (const method of this.#methods.getAllMethodNames(type.prototype as object)) {
      const hearing = this.#hearingOf(type, method)
      if (!hearing) continue
      const { name = ofClass, ...options } = hearing
      if (hearing.name === undefined) unnamed++
      if (name === undefined || unnamed > 1) throw nameless(type, method, ofClass)
      hub.bot(name, options as BotOptions<never>, this.#runner.handlerOf(host, method))
    }
  }

  #hearingOf(type: Type, method: string): Hearing | undefined {
    const callback = (type.prototype as Record<string, unknown>)[method]
    return typeof callback === 'function' ? this.#metadata.get(hearingKey, callback as never) : undefined
  }
}

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
