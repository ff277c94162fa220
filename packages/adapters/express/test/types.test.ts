import { memory } from '@trigger-hub/core/memory'
import { hmac } from '@trigger-hub/core/sources'
import express, { type RequestHandler } from 'express'
import { expectTypeOf } from 'expect-type'
import { idempotency, rawBody, verifySignature } from '../src/index.ts'

test('a route knows its parameters behind the parts', () => {
  express().post(
    '/charges/:id',
    rawBody(),
    verifySignature(hmac({ secret: 'It is a secret to everybody' })),
    idempotency({ store: memory() }),
    ({ params }) => expectTypeOf(params).toEqualTypeOf<{ id: string }>(),
  )
})

test('a part is a handler as Express has them', () => {
  expectTypeOf(rawBody).returns.toExtend<RequestHandler>()
})
