import type { StandardSchemaV1 } from '@standard-schema/spec'
import { TriggerHub, type On } from '@trigger-hub/core'
import { memory } from '@trigger-hub/core/memory'
import { github, hmac, shopify } from '@trigger-hub/core/sources'
import { expectTypeOf } from 'expect-type'

interface Order {
  total: string
}
interface Customer {
  email: string
}
interface ShopEvents {
  'orders.create': Order
  'orders.paid': Order
  'customers.create': Customer
}

const secret = 'correct horse battery'
const sources = { shop: shopify<ShopEvents>({ secret }), code: github({ secret }) }
const hub = () => new TriggerHub({ driver: memory(), sources })

test('data is typed by the event that the pattern names', () => {
  hub().bot('a', { on: 'shop:orders.create' }, ({ data }) => expectTypeOf(data).toEqualTypeOf<Order>())
  hub().bot('a', { on: 'shop:customers.*' }, ({ data }) => expectTypeOf(data).toEqualTypeOf<Customer>())
})

test('data is a union where the pattern lets several events through', () => {
  hub().bot('a', { on: 'shop:**' }, ({ data }) => expectTypeOf(data).toEqualTypeOf<Order | Customer>())
  hub().bot('a', { on: ['shop:orders.paid', 'shop:customers.create'] }, ({ data }) =>
    expectTypeOf(data).toEqualTypeOf<Order | Customer>(),
  )
})

test('data is unknown where nothing is declared about it', () => {
  hub().bot('a', { on: 'code:push' }, ({ data }) => expectTypeOf(data).toEqualTypeOf<unknown>())
  hub().bot('a', { on: '*:**' }, ({ data }) => expectTypeOf(data).toEqualTypeOf<unknown>())
  hub().bot('a', { on: 'shop:refunds.create' }, ({ data }) => expectTypeOf(data).toEqualTypeOf<unknown>())
})

test('data is what the schema makes of it', () => {
  const schema = {
    '~standard': { version: 1, vendor: 'test', validate: () => ({ value: { n: 1 } }) },
  } as const satisfies StandardSchemaV1
  const typed: StandardSchemaV1<unknown, { n: number }> = schema
  hub().bot('a', { on: 'code:push', schema: typed }, ({ data }) =>
    expectTypeOf(data).toEqualTypeOf<{ n: number }>(),
  )
})

test('a misspelt source is a type error', () => {
  // @ts-expect-error there is no source "shpo"
  expect(() => hub().bot('a', { on: 'shpo:orders.create' }, () => undefined)).toThrow(
    /the sources are: shop, code/,
  )
  // @ts-expect-error a pattern names its source
  expect(() => hub().bot('a', { on: 'orders.create' }, () => undefined)).toThrow(/is not a pattern/)
})

test('an editor completes sources, and the types of declared events', () => {
  type Literals = 'shop:orders.create' | 'shop:**' | 'code:**' | '*:**'
  expectTypeOf<Extract<On<typeof sources>, Literals>>().toEqualTypeOf<Literals>()
})

test('any type goes after a source that is there', () => {
  type Patterns = On<typeof sources>
  expectTypeOf<'shop:orders.create'>().toExtend<Patterns>()
  expectTypeOf<'shop:refunds.create'>().toExtend<Patterns>()
  expectTypeOf<'till:orders.create'>().not.toExtend<Patterns>()
})

test('without sources any pattern goes, because events may come from enqueue(hub)', () => {
  new TriggerHub({ driver: memory() }).bot('a', { on: 'anything:at.all' }, ({ data }) =>
    expectTypeOf(data).toEqualTypeOf<unknown>(),
  )
})

test('an ack is chosen by the name of a source', () => {
  new TriggerHub({ driver: memory(), sources, ack: { shop: 'immediate' } })
  // @ts-expect-error there is no source "till"
  expect(() => new TriggerHub({ driver: memory(), sources, ack: { till: 'sync' } })).toThrow(/till/)
  new TriggerHub({ driver: memory(), endpoint: '/in', source: hmac({ secret }) })
})
