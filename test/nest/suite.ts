/** The adapter on the Nest of `NEST_FOLDER`, for `node:test`: jest cannot load Nest 12, which is ESM. */
import assert from 'node:assert/strict'
import { basename } from 'node:path'
import { describe, it } from 'node:test'
import { Inject, Injectable } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { version } from '@nestjs/core/package.json'
import { adapterSuite } from '@trigger-hub/conformance'
import { Bot, On, Payload, TestingHub, TriggerHubTestingModule } from '@trigger-hub/nestjs'
import { platforms, rootOf } from '../../packages/adapters/nestjs/test/app.ts'
import { serve } from '../../packages/adapters/nestjs/test/serve.ts'

const major = basename(process.env.NEST_FOLDER ?? '')

const runner = {
  describe: (name: string, body: () => void) => void describe(name, body),
  it: (name: string, run: () => Promise<void>) => void it(name, run),
}
for (const [name, platform] of Object.entries(platforms)) {
  adapterSuite(runner, `Nest ${major} on ${name}`, serve(platform))
}

void it(`is Nest ${major}, and finds bots with what they inject`, async () => {
  const seen: unknown[] = []
  @Injectable()
  class Mailer {
    readonly send = (to: unknown) => void seen.push(to)
  }
  @Bot('welcome')
  class Welcome {
    constructor(@Inject(Mailer) private readonly mailer: Mailer) {}
    @On('shop:customers.*')
    greet(@Payload('email') email: string) {
      this.mailer.send(email)
    }
  }
  const root = rootOf({ imports: [TriggerHubTestingModule.forRoot()], providers: [Mailer, Welcome] })
  const app = await NestFactory.createApplicationContext(root, { logger: false, abortOnError: false })
  await app.get(TestingHub).deliver('shop:customers.create', { email: 'a@example.com' })
  await app.get(TestingHub).settled()
  await app.close()
  assert.deepEqual([version.split('.', 1)[0], seen], [major, ['a@example.com']])
})
