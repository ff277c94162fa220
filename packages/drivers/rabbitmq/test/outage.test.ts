import { startRabbitMq } from '../../../../scripts/services/rabbitmq.ts'
import { outageSuite } from '../../../../test/crash/outage.ts'
import { needs, needsOwn } from '../../../../test/servers/needs.ts'

needsOwn('rabbitmq', () =>
  needs('redis', (store) =>
    outageSuite({
      start: () => startRabbitMq(),
      driver: (url) => ({ is: 'rabbitmq', url, store }),
      kills: 1,
      freshMs: 3_000, // RabbitMQ 3.10 forgets a quorum queue that is killed within about a second
    }),
  ),
)
