import { differences, exchanged, exchangesIn } from './exchange.ts'

describe('endpoint validations', () => {
  it.each(exchangesIn(__dirname))('$provider: $name', async (exchange) => {
    expect(differences(exchange, await exchanged(exchange))).toEqual([])
  })
})
