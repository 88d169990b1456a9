import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownFile, ownFolder } from './account.ts'
import { cleanEnvironment, findBinary, newestFirst } from './binary.ts'
import { ask } from './port.ts'
import type { Launch, Place, Program } from './program.ts'
import { run } from './run.ts'

/** How a command is started: as it is, or inside another root. */
export type Wrap = (launch: Launch, place: Place) => Launch

/** RabbitMQ from where packages put it, or from the PATH; undefined when there is none. */
export function findRabbitmq(): Program | undefined {
  const folders = [
    '/usr/lib/rabbitmq/bin',
    ...newestFirst('/usr/lib/rabbitmq/lib/*/sbin'),
    '/opt/homebrew/opt/rabbitmq/sbin',
  ]
  const server = findBinary('rabbitmq-server', folders)
  const epmd = findBinary('epmd', newestFirst('/usr/lib/erlang/erts-*/bin'))
  // Debian's command in /usr/sbin becomes the user rabbitmq and works in /var/lib: never that one.
  if (!server || !epmd || server.startsWith('/usr/sbin/')) return undefined
  return rabbitmqProgram(server, epmd, server.replace(/\/[^/]*$/, ''), (launch) => launch)
}

export function rabbitmqProgram(server: string, epmd: string, from: string, wrap: Wrap): Program {
  const env = (place: Place): NodeJS.ProcessEnv => environment(place, server, epmd)
  return {
    what: 'server',
    from,
    ports: ['port', 'management', 'distribution', 'epmd', 'control'],
    prepare,
    // Its own epmd, in the foreground: Erlang would leave a daemon behind that outlives the server.
    launches: (place) => [
      wrap(
        {
          role: 'epmd',
          command: epmd,
          args: ['-address', '127.0.0.1', '-port', `${place.ports.epmd}`],
          env: env(place),
        },
        place,
      ),
      wrap({ role: 'server', command: server, args: [], env: env(place) }, place),
    ],
    companionReady: async ({ ports }) =>
      (await ask(ports.epmd ?? 0, Buffer.from([0, 1, 110]), (answer) => answer.length >= 4 || undefined)) === true,
    ready,
    // The server is a shell; the virtual machine is its child.
    hiddenPid: ({ folder }) => Number(readFileSync(join(folder, 'beam.pid'), 'utf8')),
    url: ({ ports }) => `amqp://guest:guest@127.0.0.1:${ports.port}`,
    management: ({ ports }) => `http://guest:guest@127.0.0.1:${ports.management}`,
    async beforeStop(place) {
      const control = server.replace(/rabbitmq-server$/, 'rabbitmqctl')
      // Versions before 4 wait five seconds for this handler when they stop.
      const args = ['eval', 'gen_event:delete_handler(rabbit_event, rabbit_mgmt_db_handler, []).']
      const { asRoot, ...launch } = wrap({ role: 'control', command: control, args, env: env(place) }, place)
      const account = asRoot ? undefined : place.account
      await run(launch.command, launch.args, {
        env: launch.env,
        cwd: place.folder,
        account,
        check: false,
        timeout: 10_000,
      })
    },
    stopSignal: 'SIGTERM',
    discardSignal: 'SIGKILL',
  }
}

async function prepare({ folder, account, ports }: Place): Promise<void> {
  for (const name of ['home', 'mnesia', 'log']) ownFolder(join(folder, name), account)
  const put = (name: string, text: string, mode?: number): void => ownFile(join(folder, name), text, account, mode)
  put('home/.erlang.cookie', randomBytes(16).toString('hex'), 0o400)
  put('enabled_plugins', '[rabbitmq_management].\n')
  put(
    'rabbitmq.conf',
    `listeners.tcp.1 = 127.0.0.1:${ports.port}
management.tcp.ip = 127.0.0.1
management.tcp.port = ${ports.management}
heartbeat = 10
vm_memory_high_watermark.relative = 0.4
disk_free_limit.absolute = 50MB
log.console = false
log.file.level = info
`,
  )
  // What the broker looks at every 5, 60 or 180 seconds it looks at every second or two, or tests would wait for it:
  // the figures of the HTTP API, consumers that do not acknowledge, dead letters that could not be routed.
  put(
    'advanced.config',
    `[{rabbit, [{collect_statistics_interval, 1000}, {channel_tick_interval, 1000}, {quorum_tick_interval, 1000},
           {dead_letter_worker_publisher_confirm_timeout, 2000}]},
 {rabbitmq_management_agent, [{sample_retention_policies,
   [{global, [{60, 1}]}, {basic, [{60, 1}]}, {detailed, [{10, 1}]}]}]}].
`,
  )
}

function environment({ folder, ports }: Place, ...binaries: string[]): NodeJS.ProcessEnv {
  const loopback = '-kernel inet_dist_use_interface {127,0,0,1}'
  return {
    ...cleanEnvironment(join(folder, 'home'), ...binaries),
    RABBITMQ_NODENAME: 'obverse@localhost',
    RABBITMQ_CONF_ENV_FILE: join(folder, 'none.conf'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, 'advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_PID_FILE: join(folder, 'beam.pid'),
    RABBITMQ_DIST_PORT: `${ports.distribution}`,
    RABBITMQ_CTL_DIST_PORT_MIN: `${ports.control}`,
    RABBITMQ_CTL_DIST_PORT_MAX: `${(ports.control ?? 0) + 10}`,
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: loopback,
    RABBITMQ_CTL_ERL_ARGS: loopback,
    ERL_EPMD_PORT: `${ports.epmd}`,
    ERL_EPMD_ADDRESS: '127.0.0.1',
  }
}

// Answers to the protocol's first words with Connection.Start, which names its version, when it has booted; the HTTP
// API may be a moment later.
async function ready({ ports }: Place): Promise<string | undefined> {
  const start = await ask(ports.port ?? 0, Buffer.from('AMQP\0\0\x09\x01', 'latin1'), (answer) =>
    answer[0] === 1 && answer.length > 7 && answer.length >= 8 + answer.readUInt32BE(3) ? answer : undefined,
  )
  if (!start) return undefined
  const request = `GET /api/whoami HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic ${btoa('guest:guest')}\r\nConnection: close\r\n\r\n`
  const answers = await ask(ports.management ?? 0, Buffer.from(request), (answer) =>
    answer.includes('\r\n') ? answer.subarray(0, 13).toString() === 'HTTP/1.1 200 ' : undefined,
  )
  return answers ? versionIn(start) : undefined
}

function versionIn(start: Buffer): string {
  const at = start.indexOf('\x07versionS')
  if (at < 0) return 'unknown'
  return start.toString('utf8', at + 13, at + 13 + start.readUInt32BE(at + 9))
}
