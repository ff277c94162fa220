import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ERRORS } from '@trigger-hub/core'
import { packages, root } from '../layering/source.ts'

const page = readFileSync(join(root, 'docs', 'errors.md'), 'utf8')
const sections = [...page.matchAll(/^### (.+)\n([^#]*)/gm)].map(([, code = '', text = '']) => ({
  code,
  text,
}))

const quoted = /'((?:ERR|WARN)_[A-Z\d_]+)'/g
const ofNode = ['ERR_BUFFER_TOO_LARGE'] // looked for, not given

/** Every code that the sources can give: those of refusals, of set-ups, of warnings. */
const codes = new Set([
  ...Object.keys(ERRORS),
  ...packages
    .filter(({ name }) => !name.endsWith('/conformance')) // its broken parts have codes of their own
    .flatMap(({ files }) =>
      files.flatMap(({ text }) => [...text.matchAll(quoted)].map(([, code = '']) => code)),
    )
    .filter((code) => !ofNode.includes(code)),
])

it('finds the codes of refusals, set-ups and warnings', () => {
  expect([...codes]).toEqual(
    expect.arrayContaining(['ERR_SIGNATURE_MISMATCH', 'ERR_DRIVER_MISSING', 'WARN_BOT_UNDECLARED']),
  )
})

it('has a section for every code', () => {
  const written = sections.map(({ code }) => code)
  expect([...codes].filter((code) => !written.includes(code))).toEqual([])
})

it('has no section for a code that nothing gives', () => {
  expect(sections.map(({ code }) => code).filter((code) => !codes.has(code))).toEqual([])
})

it('has one section for each code, with something to say', () => {
  const written = sections.map(({ code }) => code)
  expect(written).toEqual([...new Set(written)])
  expect(sections.filter(({ text }) => text.trim().length < 40).map(({ code }) => code)).toEqual([])
})

it('names the status of every refusal that has its own', () => {
  // the others stand in a chapter that has the status in its title
  const wrong = sections.flatMap(({ code, text }) => {
    const status = /\b[Ss]tatus (\d{3})\b/.exec(text)?.[1]
    const own = ERRORS[code as keyof typeof ERRORS]?.status
    return status !== undefined && Number(status) !== own ? [`${code} says ${status} and is ${own}`] : []
  })
  expect(wrong).toEqual([])
})
