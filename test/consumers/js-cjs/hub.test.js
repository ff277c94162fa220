const { TriggerHub } = require('@trigger-hub/core')
const { memory } = require('@trigger-hub/core/memory')

test('a hub starts in memory', async () => {
  const hub = new TriggerHub({ driver: memory(), allowVolatile: true })
  await hub.start()
  await hub.close()
})

test('a hub without a driver says which to give', async () => {
  await expect(new TriggerHub().start()).rejects.toMatchObject({
    code: 'ERR_DRIVER_MISSING',
    message: expect.stringContaining('driver": memory() of @trigger-hub/core/memory'),
  })
})
