import type { ChannelModel } from 'amqplib'
import type { Finding, Runtime } from 'obverse'
import type { Address } from './address.ts'
import { briefly, closeChannel, openChannel } from './amqp-channel.ts'
import { countOf } from './declare.ts'
import { examineQueue } from './examine-queue.ts'
import { brokerError, saidBy } from './failure.ts'
import type { Link } from './link.ts'
import type { Management } from './management.ts'
import type { Settings } from './options.ts'
import { leftovers } from './partition-number.ts'
import type { Topology } from './topology.ts'
import { behaviourOf, isAtLeast, OLDEST, timeoutToAskFor, type Version, versionOf } from './version.ts'

export interface Examination {
  readonly publishing: Link<ChannelModel>
  readonly consuming: Link<ChannelModel>
  readonly topology: Topology
  readonly settings: Settings
  readonly address: Address
  readonly management: Management | undefined
  readonly runtime: Runtime
}

/** Looks at everything on the server that would lose or hold up messages, and changes nothing. */
export async function examine(examination: Examination): Promise<readonly Finding[]> {
  const { consuming, topology, address } = examination
  let model: ChannelModel
  try {
    model = await consuming.get()
  } catch (error) {
    const remedy = 'Start it, or mend its address; everything goes on by itself then'
    return [{ level: 'error', subject: 'rabbitmq', says: (error as Error).message, remedy }]
  }
  const version = versionOf(model.connection.serverProperties.version)
  const findings: Finding[] = [
    ...server(model, version, examination),
    ...(await alarms(examination)),
    ...topology.errors.map(({ message }): Finding => {
      return { level: 'error', subject: 'rabbitmq', says: message, remedy: 'Do what it says, then start again' }
    }),
  ]
  try {
    for (const { name } of topology.channels) findings.push(...(await channel(examination, model, version, name)))
    findings.push(...(await failed(model, examination)), ...(await mayPublish(examination)))
  } catch (error) {
    const { message } = brokerError(error, address, 'look at the queues')
    findings.push({ level: 'error', subject: 'rabbitmq', says: message, remedy: 'Look again' })
  }
  return findings
}

function server(model: ChannelModel, version: Version, { settings, address }: Examination): readonly Finding[] {
  const { product } = model.connection.serverProperties
  const subject = 'rabbitmq'
  const says = `${product} ${version.text} at ${address.text}, ${settings.queues} queues`
  const [major = 0, minor = 0] = OLDEST.split('.').map(Number)
  if (product !== 'RabbitMQ' || !isAtLeast(version, [major, minor])) {
    return [{ level: 'warning', subject, says, remedy: `Use RabbitMQ from ${OLDEST}: nothing else was tried` }]
  }
  if (settings.queues === 'quorum') return [{ level: 'ok', subject, says }]
  const remedy = "Set queues: 'quorum' where a message has to survive the loss of a node, or of what it gives up"
  return [{ level: 'warning', subject, says: `${says}: each on one node`, remedy }]
}

async function alarms({ publishing, management }: Examination): Promise<readonly Finding[]> {
  const subject = 'rabbitmq alarms'
  const remedy = 'Give it memory or disk: until then it takes no messages, and they wait in the outbox'
  if (publishing.blockedBy !== undefined) return [{ level: 'error', subject, says: publishing.blockedBy, remedy }]
  if (!management) {
    const says = 'not known, and neither is what other processes have taken: the management plugin is not asked'
    return [{ level: 'ok', subject, says: `${says} (option management)` }]
  }
  try {
    const alarm = await management.alarms()
    return alarm === undefined
      ? [{ level: 'ok', subject, says: `none, says ${management.origin}` }]
      : [{ level: 'error', subject, says: alarm, remedy }]
  } catch (error) {
    const { message } = error as Error
    return [
      { level: 'warning', subject, says: message, remedy: 'Enable it, mend the option management, or set it to false' },
    ]
  }
}

async function channel(
  { topology, management, settings, consuming }: Examination,
  model: ChannelModel,
  version: Version,
  name: string,
): Promise<readonly Finding[]> {
  const behaviour = behaviourOf(version)
  const { partitions, timeout } = topology.known(name)
  const findings: Finding[] = [...topology.notes(name)]
  for (const plan of topology.plans(name, behaviour)) {
    findings.push(...(await examineQueue({ model, plan, exchange: settings.exchange, management })))
  }
  for (const { queue, messages } of await leftovers(model, name, partitions)) {
    const says = `${queue} belongs to another number of partitions than ${partitions}, and holds ${messages} messages`
    const remedy =
      messages > 0 ? 'Consume it with that number of partitions' : `Delete it: rabbitmqctl delete_queue ${queue}`
    findings.push({ level: messages > 0 ? 'error' : 'warning', subject: `queue ${queue}`, says, remedy })
  }
  const wait = timeoutToAskFor(timeout, behaviour)
  if (wait !== undefined && behaviour.acknowledgementTimeoutBy === 'server' && consuming.value) {
    findings.push({
      level: 'warning',
      subject: `channel ${name}`,
      says: `its handlers may take ${timeout} ms; RabbitMQ ${version.text} takes messages back after ${behaviour.acknowledgementTimeout} ms`,
      remedy: `Set consumer_timeout = ${wait} in rabbitmq.conf, if that is not done`,
    })
  }
  return findings.length > 0
    ? findings
    : [{ level: 'ok', subject: `channel ${name}`, says: 'its queues are as declared' }]
}

async function failed(model: ChannelModel, { settings }: Examination): Promise<readonly Finding[]> {
  const subject = `queue ${settings.failed}`
  const count = await countOf(model, settings.failed)
  if (!count) return [{ level: 'error', subject, says: 'it is not there', remedy: 'Start the application again' }]
  if (count.messages === 0) return [{ level: 'ok', subject, says: 'empty' }]
  const says = `${count.messages} messages that RabbitMQ gave up, and ${count.consumers} consumers to take them back`
  if (count.consumers > 0) return [{ level: 'ok', subject, says }]
  return [
    { level: 'warning', subject, says, remedy: 'Run a relay or a consumer of this application: it takes them back' },
  ]
}

/** Publishes to a key that no queue is bound to: permitted, it comes back. */
async function mayPublish({ publishing, settings, address, runtime }: Examination): Promise<readonly Finding[]> {
  if (publishing.blockedBy !== undefined) return []
  try {
    const model = await publishing.get()
    await briefly(model, (amqp) => amqp.checkExchange(settings.exchange))
    const result = Promise.withResolvers<void>()
    const amqp = await openChannel(model, result.reject, true)
    amqp.on('return', () => result.resolve())
    amqp.publish(settings.exchange, '/nobody', Buffer.from(''), { mandatory: true })
    await result.promise
    await closeChannel(amqp, runtime)
    return []
  } catch (error) {
    const level = saidBy(error).code === 403 ? 'error' : 'warning'
    const { message } = brokerError(error, address, `publish to ${settings.exchange}`)
    const remedy = `Permit ${address.user} to write to ${settings.exchange}`
    return [{ level, subject: `exchange ${settings.exchange}`, says: message, remedy }]
  }
}
