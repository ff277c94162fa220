import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import ts from 'typescript'

export const root = resolve(__dirname, '..', '..')

interface Manifest extends Record<'dependencies' | 'peerDependencies' | 'optionalDependencies', object> {
  readonly exports: Readonly<Record<string, string | { readonly '@trigger-hub/source': string }>>
}

export interface Package {
  readonly name: string
  /** From the root: `packages/drivers/embedded`. */
  readonly folder: string
  readonly manifest: Manifest
  readonly files: readonly SourceFile[]
}

export interface SourceFile {
  /** From the root, with `/`. */
  readonly path: string
  readonly text: string
  /** What its import and export statements name, as paths from the root where they are relative. */
  readonly imports: readonly string[]
  /** Those of them that are still there when types are erased. */
  readonly runtimeImports: readonly string[]
}

const json = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(root, path), 'utf8')) as Record<string, unknown>

/** Every published package of the workspace with the source that it ships. */
export const packages: readonly Package[] = (json('package.json').workspaces as string[])
  .map((folder) => ({ folder, manifest: json(join(folder, 'package.json')) }))
  .filter(({ manifest }) => manifest.private !== true)
  .map(({ folder, manifest }) => ({
    name: manifest.name as string,
    folder,
    manifest: {
      dependencies: {},
      peerDependencies: {},
      optionalDependencies: {},
      exports: manifest.exports as Manifest['exports'],
      ...manifest,
    },
    files: sourcesIn(join(folder, 'src')),
  }))

function sourcesIn(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map(({ parentPath, name }) => {
      const path = relative(root, join(parentPath, name)).replaceAll('\\', '/')
      const text = readFileSync(join(root, path), 'utf8')
      const imports = importsIn(path, text)
      const runtimeImports = importsIn(path, text.replace(/^(?:import|export) type [^']+'[^']+'$/gm, ''))
      return { path, text, imports, runtimeImports }
    })
}

function importsIn(path: string, text: string): string[] {
  const { importedFiles } = ts.preProcessFile(text)
  return importedFiles.map(({ fileName }) =>
    fileName.startsWith('.') ? join(path, '..', fileName).replaceAll('\\', '/') : fileName,
  )
}

/** The package of an import: `@trigger-hub/core` of `@trigger-hub/core/verify`; undefined for files and Node.js itself. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('packages/') || specifier.startsWith('node:')) return undefined
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0]
}

/** A path of imports that leads back to its beginning, if there is one. Those of types alone are erased and may. */
export function cycleIn(files: readonly SourceFile[]): string[] | undefined {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path]
    if (done.has(path)) return undefined
    for (const next of byPath.get(path)?.runtimeImports ?? []) {
      const cycle = visit(next, [...trail, path])
      if (cycle) return cycle
    }
    done.add(path)
    return undefined
  }
  for (const { path } of files) {
    const cycle = visit(path, [])
    if (cycle) return cycle
  }
  return undefined
}

/** What users can import of a package and what has no docstring, neither on it nor on what it consists of. */
export function undocumented({ manifest, folder, files }: Package): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const entries = Object.values(manifest.exports)
    .map((conditions) => (typeof conditions === 'string' ? conditions : conditions['@trigger-hub/source']))
    .map((entry) => byPath.get(join(folder, entry).replaceAll('\\', '/')))
  return [...new Set(entries.flatMap((entry) => (entry ? undocumentedIn(entry, byPath) : [])))]
}

/** @param wanted  the names to look at, if not all that the file exports */
function undocumentedIn(
  { path, text }: SourceFile,
  byPath: ReadonlyMap<string, SourceFile>,
  wanted?: readonly string[],
): string[] {
  const documented = new Map<string, boolean>()
  const elsewhere: string[] = []
  for (const statement of ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true).statements) {
    if (ts.isExportDeclaration(statement) && statement.moduleSpecifier) {
      const from = byPath.get(join(path, '..', (statement.moduleSpecifier as ts.StringLiteral).text))
      const { exportClause } = statement
      const names =
        exportClause && ts.isNamedExports(exportClause)
          ? exportClause.elements.map(({ propertyName, name }) => (propertyName ?? name).text)
          : undefined
      if (from) elsewhere.push(...undocumentedIn(from, byPath, names))
    } else if (ts.canHaveModifiers(statement) && isExported(statement)) {
      for (const name of namesOf(statement)) {
        if (wanted && !wanted.includes(name)) continue
        // a value and a type may share a name and a docstring
        documented.set(name, documented.get(name) === true || statement.getFullText().includes('/**'))
      }
    }
  }
  return [...documented].flatMap(([name, is]) => (is ? [] : [`${path}: ${name}`])).concat(elsewhere)
}

const isExported = (statement: ts.HasModifiers): boolean =>
  ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false

const namesOf = (statement: ts.Statement): string[] =>
  (ts.isVariableStatement(statement) ? [...statement.declarationList.declarations] : [statement])
    .map((declaration) => (declaration as ts.DeclarationStatement).name?.getText())
    .filter((name) => name !== undefined)
