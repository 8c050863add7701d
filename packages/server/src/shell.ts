/** Where a command runs: its streams, its environment, and the signal that asks it to stop. */
export interface Shell {
  readonly stdout: Output
  readonly stderr: Output
  readonly stdin: NodeJS.ReadableStream
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Folder that relative paths start from. */
  readonly folder: string
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal
  /** Reads a file or, for `-`, all of standard input. */
  readText(path: string): Promise<string>
  /** The same for what is no text. */
  readBytes(path: string): Promise<Uint8Array>
  /** Shows where an unexpected error came from. */
  readonly debug: boolean
}

/** The part of a terminal or pipe that is used here. */
export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

/** What the process says when it ends; see docs/guides/command-line.md. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  node: 3,
  database: 4,
  api: 5,
  interrupted: 130,
} as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Colours only where a person looks, and never against NO_COLOR (no-color.org). */
export function mayColour(
  output: Output,
  environment: Shell['environment'],
  flag: boolean | undefined,
): boolean {
  if (flag === false || (environment['NO_COLOR'] ?? '') !== '') return false
  if ((environment['FORCE_COLOR'] ?? '0') !== '0') return true
  return output.isTTY === true && environment['TERM'] !== 'dumb'
}
