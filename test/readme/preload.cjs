// Loaded before a program of a README, whose port becomes a free one that the test is told.
const { Server } = require('node:net')

const listen = Server.prototype.listen
Server.prototype.listen = function (_port, ...rest) {
  const listening = rest.findLast((argument) => typeof argument === 'function')
  this.once('listening', () => process.send?.(this.address().port))
  return listen.call(this, 0, '127.0.0.1', listening)
}
