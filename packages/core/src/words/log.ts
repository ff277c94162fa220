/** One line for an operator. `code` is stable; no field holds a payload or a secret. */
export interface LogRecord {
  readonly level: 'warn' | 'error'
  readonly code: string
  readonly message: string
  readonly [field: string]: unknown
}

/** Hears of what an operator should know. It must not throw. */
export type Log = (record: LogRecord) => void

/** The default log: one line on stderr. */
export const stderrLog: Log = ({ level, code, message }) => {
  process.stderr.write(`trigger-hub ${level} ${code}: ${message}\n`)
}
