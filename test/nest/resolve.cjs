/**
 * Required first, it gives everybody the Nest of the folder in `NEST_FOLDER`: the adapter's sources would find the one at
 * the root. What Nest itself imports it finds beside itself.
 */
const Module = require('node:module')

const resolve = Module._resolveFilename

Module._resolveFilename = function (request, parent, isMain, options) {
  const there = /^@nestjs\//.test(request) ? { paths: [process.env.NEST_FOLDER] } : options
  return resolve.call(this, request, parent, isMain, there)
}
