import { resolve } from 'node:path'
import { differences, exchanged, exchangesIn } from '../test/vectors/exchange.ts'
import { presetOf, vectorFiles, verdictOf } from '../test/vectors/run.ts'

/**
 * Runs every signature vector of a folder against the presets, and its endpoint validations against a hub, and prints a
 * line per provider. Exits with 1 on any disagreement, and with 2 when there is nothing to run.
 */
async function main(folder: string | undefined): Promise<number> {
  if (folder === undefined) {
    console.error('Usage: npm run vectors -- <folder>')
    return 2
  }
  const files = vectorFiles(resolve(folder))
  const total = { agreed: 0, disagreed: 0, skipped: 0, noPreset: 0 }
  for (const { provider, vectors } of files) {
    const preset = presetOf(provider)
    if (!preset) {
      total.noPreset += vectors.length
      console.log(`${provider.padEnd(22)} no preset (${vectors.length} vectors)`)
      continue
    }
    const binding = vectors.filter(({ latitude }) => latitude === undefined)
    const wrong: string[] = []
    for (const vector of binding) {
      try {
        const { verdict, code = 'accepted' } = verdictOf(preset, vector)
        if (verdict !== vector.expect) wrong.push(`${vector.name}: expected ${vector.expect}, got ${code}`)
      } catch (error) {
        wrong.push(`${vector.name}: threw ${String(error)}`)
      }
    }
    report(provider, binding.length, wrong)
    total.agreed += binding.length - wrong.length
    total.disagreed += wrong.length
    total.skipped += vectors.length - binding.length
  }
  const exchanges = exchangesIn(resolve(folder))
  const wrong = await wrongOf(exchanges)
  if (exchanges.length > 0) report('endpoint validations', exchanges.length, wrong)
  const { agreed, disagreed, skipped, noPreset } = total
  console.log(
    `${files.length} providers: ${agreed} agreed, ${disagreed} disagreed, ${skipped} with latitude skipped, ` +
      `${noPreset} without a preset`,
  )
  if (files.length + exchanges.length === 0) return 2
  return disagreed + wrong.length > 0 ? 1 : 0
}

async function wrongOf(exchanges: ReturnType<typeof exchangesIn>): Promise<string[]> {
  const wrong: string[] = []
  for (const exchange of exchanges) {
    const found = await exchanged(exchange)
      .then((answer) => differences(exchange, answer))
      .catch((error: unknown) => [`threw ${String(error)}`])
    if (found.length > 0) wrong.push(`${exchange.provider}, ${exchange.name}: ${found.join('; ')}`)
  }
  return wrong
}

function report(title: string, count: number, wrong: readonly string[]): void {
  console.log(`${title.padEnd(22)} ${count - wrong.length} agreed, ${wrong.length} disagreed`)
  for (const line of wrong) console.log(`  ${line}`)
}

void main(process.argv[2]).then((code) => {
  process.exitCode = code
})
