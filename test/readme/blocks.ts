import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../layering/source.ts'

/** A code block of a page. */
export interface Block {
  /** From the root: `packages/core/README.md`. */
  readonly page: string
  /** The line of its first line of code, from 1. */
  readonly line: number
  readonly language: string
  readonly code: string
  /** What the page says from here to its next block. */
  readonly prose: string
}

/** Every page of the project that is written for its readers. */
export const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((page) => page !== '' && page !== 'CHANGELOG.md') // which is made from commits

export const textOf = (page: string): string => readFileSync(join(root, page), 'utf8')

/** The blocks of a page in the order in which they stand. */
export function blocksOf(page: string): Block[] {
  const parts = textOf(page).split(/^```(.*)\n/m)
  const blocks: Block[] = []
  let line = 1
  // text, language, code, '', text, language, code, …
  for (let at = 0; at < parts.length; at += 4) {
    const [text = '', language, code = '', , prose = ''] = parts.slice(at, at + 5)
    line += linesIn(text) + 1
    if (language === undefined) break
    blocks.push({ page, line, language, code, prose })
    line += linesIn(code) + 1
  }
  return blocks
}

const linesIn = (text: string): number => text.split('\n').length - 1

/** The page without its code, for what is said about links. */
export const proseOf = (page: string): string => textOf(page).replace(/^```[^]*?^```$/gm, '')
