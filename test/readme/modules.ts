import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { root } from '../layering/source.ts'
import type { Block } from './blocks.ts'

/** A block as a file that a compiler and Node.js can read. */
export interface Module {
  readonly block: Block
  readonly path: string
  readonly text: string
  /** How many lines of another block stand before its own. */
  readonly before: number
}

const folder = join(root, '.cache', 'readme') // inside the project, so that packages are found
export const tsconfig = join(folder, 'tsconfig.json')

/**
 * Writes the blocks of one page as modules. A block that imports something stands for itself; one that does not goes on
 * from the last one that did. A first line such as `// app.module.ts` names the file.
 */
export function modulesOf(blocks: readonly Block[]): Module[] {
  let beginning = ''
  return blocks
    .filter(({ language }) => ['ts', 'js'].includes(language))
    .map((block) => {
      const { page, line, language, code } = block
      const name = /^\/\/ ([\w./-]+\.[tj]s)\n/.exec(code)?.[1] ?? `line-${line}.${language}`
      const path = join(folder, dirname(page), page.endsWith('README.md') ? '' : page, name)
      if (/^import /m.test(code)) {
        beginning = code
        return { block, path, text: code, before: 0 }
      }
      const text = `${beginning}\n{\n${code}\n}\nexport {}\n`
      return { block, path, text, before: beginning.split('\n').length + 1 }
    })
}

export function writeModules(modules: readonly Module[]): void {
  rmSync(folder, { recursive: true, force: true })
  for (const { path, text } of modules) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const include = ['.', '../../packages'] // tsx goes by it, for decorators
  writeFileSync(tsconfig, JSON.stringify({ extends: '../../tsconfig.json', include }))
}

const isOfUnknown = [18046, 2571] // in JavaScript nobody says what a payload is

/** What a strict TypeScript has against the modules, as `README.md:12 message`. One program for all of them. */
export function typeErrors(modules: readonly Module[]): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path))
  const { options } = ts.parseJsonConfigFileContent(
    { ...config, files: [], include: undefined },
    ts.sys,
    root,
  )
  const program = ts.createProgram(
    modules.map(({ path }) => path),
    {
      ...options,
      types: ['node', 'jest'],
      allowJs: true,
      checkJs: true,
      noImplicitAny: true,
      noUnusedLocals: false,
      noUnusedParameters: false,
    },
  )
  return modules.flatMap(({ block, path, before }) => {
    const source = program.getSourceFile(path)!
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
      .map(({ code, start = 0, messageText }) => ({
        code,
        line: source.getLineAndCharacterOfPosition(start).line - before,
        message: ts.flattenDiagnosticMessageText(messageText, '\n'),
      }))
      .filter(({ line }) => line >= 0) // what stands before has been told once
      .filter(({ code }) => block.language === 'ts' || !isOfUnknown.includes(code))
      .map(({ line, message }) => `${block.page}:${block.line + line} ${message}`)
  })
}
