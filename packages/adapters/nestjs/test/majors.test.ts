import { execFile } from 'node:child_process'
import { join } from 'node:path'

const root = join(__dirname, '../../../..')
const folder = join(root, 'test/nest')

/** Runs the suite in a process of its own and gives its counts. */
const suiteOn = (major: string) =>
  new Promise<{ failed: number; passed: number; output: string }>((resolve) => {
    const preload = [
      '--test-reporter=tap', // Node.js 24 has another one
      '--conditions=@trigger-hub/source',
      '--require',
      join(folder, 'resolve.cjs'),
      '--require',
      'tsx/cjs',
    ]
    const { NODE_OPTIONS: _, ...env } = process.env // its tsx would come before the resolving
    const options = { cwd: root, env: { ...env, NEST_FOLDER: join(folder, major) }, maxBuffer: 2 ** 26 }
    execFile(process.execPath, [...preload, join(folder, 'suite.ts')], options, (_error, output) => {
      const count = (name: string) => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(output)?.[1])
      resolve({ failed: count('fail'), passed: count('pass'), output })
    })
  })

test.each(['10', '12'])(
  'does on Nest %s what it does on Nest 11, on both platforms',
  async (major) => {
    const { failed, passed, output } = await suiteOn(major)
    if (failed !== 0) throw new Error(output)
    expect(passed).toBeGreaterThan(300)
  },
  600_000,
)
