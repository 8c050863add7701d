import { createInterface } from 'node:readline'
import { systemClock } from '@kaccy/bitcoin/adapters/system'
import { type Details, EngineError, type Logger } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { type Loaded, loadConfig } from '../config/load.ts'
import { orThrow } from '../failure.ts'
import type { Host } from '../host/host.ts'
import { createLogger, isLogLevel } from '../host/logger.ts'
import { type ExitCode, mayColour, type Shell } from '../shell.ts'
import { readTime } from './arguments.ts'
import type { ApiClient } from './client/client.ts'
import type { ClientNeeds } from './client/open.ts'
import { colours, noColours, type Paint } from '../view/paint.ts'
import { type Column, renderFacts, renderTable } from '../view/table.ts'

const YES = { details: { param: '--yes' } } as const

/** What commander collected for one command. */
export type Options = Readonly<Record<string, string | boolean | undefined>>

/** One run of one command: what was asked for, and how to answer. */
export class Context {
  readonly shell: Shell
  readonly options: Options
  readonly paint: Paint
  readonly json: boolean
  /** A command that runs until somebody stops it: that is its proper end, and no interruption. */
  runsUntilStopped = false

  constructor(shell: Shell, options: Options) {
    this.shell = shell
    this.options = options
    this.json = options['json'] === true
    const flag = options['color'] === false ? false : undefined
    const coloured = !this.json && mayColour(shell.stdout, shell.environment, flag)
    this.paint = coloured ? colours : noColours
  }

  /** Text of an option; undefined when it was not given. */
  text(name: string): string | undefined {
    const value = this.options[name]
    return typeof value === 'string' ? value : undefined
  }
  /** Texts of an option that can be given several times; undefined when it was not given. */
  texts(name: string): readonly string[] | undefined {
    const value: unknown = this.options[name]
    return Array.isArray(value) ? value.map(String) : undefined
  }
  now(): number {
    return systemClock.now()
  }
  /**
   * Asks before something that cannot be taken back. `--yes` answers, and where nobody can be asked it has to be given.
   * @throws EngineError USAGE_INVALID
   */
  async confirm(question: string): Promise<void> {
    if (this.options['yes'] === true) return
    const { stdin, stderr, signal } = this.shell
    const isTerminal = (stdin as { readonly isTTY?: boolean }).isTTY === true && !this.json
    if (!isTerminal) throw new EngineError('USAGE_INVALID', `${question} Give --yes`, YES)
    stderr.write(`${question} [y/N] `)
    const lines = createInterface({ input: stdin, signal })
    const answer = await new Promise<string>((resolve) => {
      lines.once('line', resolve)
      lines.once('close', () => resolve(''))
    })
    lines.close()
    if (!/^y(es)?$/i.test(answer.trim()))
      throw new EngineError('USAGE_INVALID', 'not confirmed: nothing was done', YES)
  }
  /** A moment that an option names, as the API reads it. @throws EngineError USAGE_INVALID */
  time(name: string): string | undefined {
    const text = this.text(name)
    return text === undefined ? undefined : new Date(readTime(text, `--${name}`)).toISOString()
  }
  line(text = ''): void {
    this.shell.stdout.write(`${text}\n`)
  }
  /** One object as one line. */
  object(value: object): void {
    this.line(JSON.stringify(value))
  }
  /** A list: a table for people, an object a line for programs. */
  list<Row>(
    rows: readonly Row[],
    columns: readonly Column<Row>[],
    toJson: (row: Row) => object,
  ): void {
    if (this.json) for (const row of rows) this.object(toJson(row))
    else if (rows.length === 0) this.line(this.paint('quiet', 'none'))
    else for (const text of renderTable(columns, rows, this.paint)) this.line(text)
  }
  /** One thing: names and values for people, an object for programs. */
  facts(facts: readonly (readonly [string, string])[], value: object): void {
    if (this.json) this.object(value)
    else for (const text of renderFacts(facts, this.paint)) this.line(text)
  }

  /** @throws EngineError with the code of what is wrong in the configuration */
  load(): Loaded {
    const flags: Record<string, string | undefined> = {}
    for (const [option, key] of Object.entries(CONFIG_OPTIONS)) {
      const value = this.options[option]
      if (typeof value === 'string') flags[key] = value
      else if (value === true) flags[key] = 'true'
    }
    return orThrow(
      loadConfig({
        environment: this.shell.environment,
        flags,
        file: this.text('config'),
        folder: this.shell.folder,
      }),
    )
  }
  /** @param facts what every line carries besides */
  logger(config: Loaded['config'], facts?: () => Details): Logger {
    const level = config['log.level']
    const least = isLogLevel(level) ? level : 'info'
    const form = this.json ? 'json' : 'text'
    const { stderr: output } = this.shell
    return createLogger({
      output,
      least,
      form,
      now: systemClock.now,
      ...(facts ? { context: facts } : {}),
    })
  }
  /** Opens what the configuration names, works, and closes it, whatever happens. */
  async withHost<T>(
    needs: 'database' | 'node',
    work: (host: Host) => Promise<T>,
    mayCreate = false,
  ): Promise<T> {
    const { config, logger } = this.#quietly(this.load())
    const { openHost } = await import('../host/host.ts')
    const host = await openHost({ config, logger, needsNode: needs === 'node', mayCreate })
    try {
      return await work(host)
    } finally {
      await host.close()
    }
  }
  /**
   * Asks the API: a running server where one is configured, otherwise the same routes in this process over the database.
   * @param more what the process needs where it is asked itself
   */
  async withClient<T>(work: (client: ApiClient) => Promise<T>, more: ClientNeeds = {}): Promise<T> {
    const loaded = this.load()
    const { logger } = this.#quietly(loaded)
    const { openClient } = await import('./client/open.ts')
    const client = await openClient(loaded, { logger, ...more })
    try {
      return await work(client)
    } finally {
      await client.close()
    }
  }
  /** Somebody who asked one question is told of trouble, not of the engine's daily work, unless they want to. */
  #quietly({ config, sources }: Loaded): { config: Loaded['config']; logger: Logger } {
    const level = sources.get('log.level') === 'default' ? 'warn' : config['log.level']
    return { config, logger: this.logger({ ...config, 'log.level': level }) }
  }
}

/** Flags that are settings, by the name commander gives them. */
export const CONFIG_OPTIONS: Readonly<Record<string, string>> = {
  network: 'network',
  node: 'node.url',
  cookie: 'node.cookie_file',
  user: 'node.user',
  passwordFile: 'node.password_file',
  ca: 'node.ca_file',
  pin: 'node.pins',
  allowPlainHttp: 'node.allow_plain_http',
  database: 'database.url',
  poll: 'chain.poll_ms',
  listen: 'http.listen',
  api: 'api.url',
  apiKeyFile: 'api.key_file',
  apiCa: 'api.ca_file',
  operator: 'operator',
  logLevel: 'log.level',
}

/** Flags of every command. */
export const addCommonFlags = (command: Command): Command =>
  command
    .option('--json', 'one JSON object a line, for programs')
    .option('--no-color', 'no colours (also: NO_COLOR)')
    .option('--debug', 'show where an unexpected error came from')

export const addConfigFlags = (command: Command): Command =>
  addCommonFlags(command)
    .option('--config <file>', 'configuration file (default: kaccy.json or kaccy.toml)')
    .option('--network <name>', 'main, test, testnet4, signet or regtest')
    .option('--database <file|url>', 'SQLite file or postgres:// address')
    .option('--operator <name>', 'who acts, for the audit trail')
    .option('--log-level <level>', 'debug, info, warn or error')

/** Flags of commands that ask the API. */
export const addClientFlags = (command: Command): Command =>
  addClientOptions(addConfigFlags(command))
export const addClientOptions = (command: Command): Command =>
  command
    .option('--api <url>', 'ask this running server instead of the database')
    .option('--api-key-file <file>', 'file with the key (also: KACCY_API_KEY)')
    .option('--api-ca <file>', "PEM file of the authority of that server's certificate")

export const addNodeFlags = (command: Command): Command =>
  addConfigFlags(command)
    .option('--node <url>', 'RPC address of the Bitcoin node')
    .option('--cookie <file>', "the node's cookie file")
    .option('--user <name>', 'user of the RPC, instead of a cookie')
    .option('--password-file <file>', 'file with the password of that user')
    .option('--ca <file>', 'PEM file of the authority of the certificate')
    .option('--pin <fingerprint>', 'SHA-256 of the certificate; several with commas')
    .option('--allow-plain-http', 'danger: send the password unencrypted')
    .option('--poll <ms>', 'longest pause between two looks')

/** What a command does; the exit code where it is not 0. */
export type Action = (context: Context, args: readonly string[]) => Promise<ExitCode | undefined>
/** Binds an action to a command: arguments first, then options, as commander hands them over. */
export type Bind = (command: Command, action: Action) => Command

/** Lines that can be typed as they are, under the help of a command. */
export const examples = (command: Command, lines: readonly string[]): Command =>
  command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`)
