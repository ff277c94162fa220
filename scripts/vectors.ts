import { resolve } from 'node:path'
import { presetOf, vectorFiles, verdictOf } from '../test/vectors/run.ts'

/**
 * Runs every signature vector of a folder against the presets and prints a line per provider.
 * Exits with 1 on any disagreement, and with 2 when there is nothing to run.
 */
function main(folder: string | undefined): number {
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
    total.agreed += binding.length - wrong.length
    total.disagreed += wrong.length
    total.skipped += vectors.length - binding.length
    console.log(`${provider.padEnd(22)} ${binding.length - wrong.length} agreed, ${wrong.length} disagreed`)
    for (const line of wrong) console.log(`  ${line}`)
  }
  const { agreed, disagreed, skipped, noPreset } = total
  console.log(
    `${files.length} providers: ${agreed} agreed, ${disagreed} disagreed, ${skipped} with latitude skipped, ` +
      `${noPreset} without a preset`,
  )
  if (files.length === 0) return 2
  return disagreed > 0 ? 1 : 0
}

process.exitCode = main(process.argv[2])
