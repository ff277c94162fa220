import { SetupError, type BotDeclaration, type Capabilities, type CompanionStore } from '@trigger-hub/core'
import type { ChannelModel } from 'amqplib'
import { closed } from './closed.ts'
import { lookAt } from './management.ts'
import type { Names } from './names.ts'
import { fewestMembers, safeMembers, warnOfServer } from './warnings.ts'

type Warnings = { readonly code: string; readonly message: string }[]

export interface Finding {
  readonly durability: Capabilities['durability']
  readonly summary: string
  readonly warnings: Warnings
}

export interface DoctorOptions {
  readonly store: CompanionStore
  readonly names: Names
  readonly management: string | undefined
}

const oldest = [3, 10] as const

/** Looks at the server and the store, and says what they are worth. */
export class Doctor {
  readonly #options: DoctorOptions

  constructor(options: DoctorOptions) {
    this.#options = options
  }

  /** @throws SetupError `ERR_DRIVER_UNUSABLE` for a server that is too old */
  async examine({ connection: { serverProperties } }: ChannelModel): Promise<Finding> {
    const { store, names, management } = this.#options
    const version = String(serverProperties.version)
    refuseOld(version)
    const warnings: Warnings = [...(await store.inspect()).warnings]
    const warn = (code: string, message: string): void => void warnings.push({ code, message })

    const seen =
      management === undefined ? undefined : await lookAt(management, names.prefix).catch(() => undefined)
    if (seen) warnOfServer(seen, warn)
    else {
      warn(
        'WARN_RABBITMQ_SETTINGS_HIDDEN',
        management === undefined
          ? 'How many members keep a message, and which policies apply, only the management API of RabbitMQ tells: give the option "management".'
          : 'The management API of RabbitMQ does not answer at the address of the option "management", so it is not known how many members keep a message and which policies apply.',
      )
    }
    const { durability: ofStore, reach } = store.capabilities
    if (ofStore === 'none') {
      warn(
        'WARN_RABBITMQ_STORE_VOLATILE',
        `The store (${store.name}) beside RabbitMQ keeps nothing for certain: dead letters, bots and the memory of repeats can be lost with it.`,
      )
    }
    if (reach !== 'network') {
      warn(
        'WARN_RABBITMQ_STORE_LOCAL',
        `The store (${store.name}) beside RabbitMQ is on this machine only: repeats are recognised, and bots and dead letters known, here only. For several machines use redis(…).`,
      )
    }
    const fewest = seen && fewestMembers(seen)
    const ofServer = fewest !== undefined && fewest >= safeMembers ? 'replicated' : 'disk'
    const durability = ofStore === 'replicated' ? ofServer : ofStore
    const members = fewest === undefined ? 'quorum queues' : `quorum queues of ${fewest}`
    return {
      durability: seen?.losing.length ? 'none' : durability,
      summary: `rabbitmq: RabbitMQ ${version}, ${members}, with ${store.name} as its store (${ofStore}): ${
        durability === 'none'
          ? 'accepted events can be lost.'
          : 'every accepted event is on disk before the answer.'
      }`,
      warnings,
    }
  }

  /** How many events wait in the queues, and which queues are missing. */
  async count(
    connection: ChannelModel,
    bots: readonly BotDeclaration[],
  ): Promise<{ backlogs: Map<string, number>; unmatched: number; warnings: Warnings }> {
    const { names } = this.#options
    const counted = async (queue: string): Promise<number | undefined> => {
      const channel = await connection.createChannel()
      channel.on('error', () => undefined) // there is no such queue, which ends the channel
      try {
        const { messageCount } = await channel.checkQueue(queue)
        await closed(channel)
        return messageCount
      } catch (error) {
        if ((error as { code?: unknown }).code === 404) return undefined
        throw error
      }
    }
    const backlogs = new Map<string, number>()
    const warnings: Warnings = []
    for (const { name } of bots) {
      const count = await counted(names.bot(name))
      if (count !== undefined) backlogs.set(name, count)
      else {
        warnings.push({
          code: 'WARN_RABBITMQ_QUEUE_MISSING',
          message: `Somebody has deleted the queue of bot "${name}", and what was in it. It is made again when the bot is declared or consumes, or within a minute when events come.`,
        })
      }
    }
    return { backlogs, unmatched: (await counted(names.unmatched)) ?? 0, warnings }
  }
}

function refuseOld(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return
  throw new SetupError(
    'ERR_DRIVER_UNUSABLE',
    `The RabbitMQ server has version ${version}; the driver needs ${oldest.join('.')} or later.`,
  )
}
