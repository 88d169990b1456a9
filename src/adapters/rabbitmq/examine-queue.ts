import type { ChannelModel } from 'amqplib'
import type { Finding } from 'obverse'
import { briefly } from './amqp-channel.ts'
import { countOf, declareQueue } from './declare.ts'
import { differenceRemedy, differenceText } from './difference.ts'
import { saidBy } from './failure.ts'
import type { ManagedQueue, Management } from './management.ts'
import type { QueuePlan } from './queue.ts'

export interface QueueExamination {
  readonly model: ChannelModel
  readonly plan: QueuePlan
  readonly exchange: string
  readonly management: Management | undefined
}

/** One queue: is it there, as it should be, may it be read, and does a policy lose what is in it? */
export async function examineQueue({
  model,
  plan,
  exchange,
  management,
}: QueueExamination): Promise<readonly Finding[]> {
  const { name } = plan
  const subject = `queue ${name}`
  const count = await countOf(model, name)
  if (!count) {
    const says = 'it is not there: what is published to it is returned, and stays in the outbox'
    return [{ level: 'error', subject, says, remedy: 'It is declared again by itself; look again' }]
  }
  const findings: Finding[] = []
  const { differences } = await declareQueue(model, plan, exchange)
  const grave = differences.filter(
    ({ argument }) => argument !== 'x-delivery-limit' && argument !== 'x-consumer-timeout',
  )
  if (grave.length > 0) {
    const says = `RabbitMQ has it otherwise: ${grave.map(differenceText).join(', ')}`
    findings.push({ level: 'error', subject, says, remedy: differenceRemedy(grave) })
  }
  if (!(await mayRead(model, plan, count.messages))) {
    const says = 'this user may not read it, so its messages wait'
    findings.push({
      level: 'error',
      subject,
      says,
      remedy: 'Permit it to read its queues: rabbitmqctl set_permissions',
    })
  }
  const managed = await management?.queue(name).catch(() => undefined)
  return managed ? [...findings, ...policies(subject, managed), ...timeouts(subject, plan, managed)] : findings
}

/** Asks for a message where none would be given: of ordered quorum queues, which refuse, or of an empty one. */
async function mayRead(
  model: ChannelModel,
  { name, arguments: wanted }: QueuePlan,
  messages: number,
): Promise<boolean> {
  const refuses = wanted['x-queue-type'] === 'quorum' && wanted['x-single-active-consumer'] === true
  if (!refuses && messages > 0) return true
  try {
    await briefly(model, (amqp) => amqp.get(name))
    return true
  } catch (error) {
    return saidBy(error).code !== 403
  }
}

const LOSE: readonly string[] = ['message-ttl', 'expires', 'max-length', 'max-length-bytes', 'delivery-limit']

function policies(
  subject: string,
  { effective_policy_definition, policy, operator_policy }: ManagedQueue,
): readonly Finding[] {
  const set = Object.entries(effective_policy_definition ?? {}).filter(
    ([key, value]) => LOSE.includes(key) && !(key === 'delivery-limit' && Number(value) < 0),
  )
  if (set.length === 0) return []
  const names = [policy, operator_policy].filter((name) => name !== null && name !== '').join(' and ')
  const says = `the policy ${names} sets ${set.map(([key, value]) => `${key} ${value}`).join(', ')}: messages may be given up or refused`
  return [
    { level: 'warning', subject, says, remedy: `Change the policy ${names} so that it does not apply to ${subject}` },
  ]
}

/** The argument is not compared, so a queue that is older than a longer timeout keeps its own. */
function timeouts(subject: string, { name, arguments: wanted }: QueuePlan, managed: ManagedQueue): readonly Finding[] {
  const wait = wanted['x-consumer-timeout']
  if (wait === undefined) return []
  const policy = managed.effective_policy_definition?.['consumer-timeout']
  const found = policy ?? managed.arguments['x-consumer-timeout']
  if (Number(found) >= Number(wait)) return []
  const says = `messages are taken back after ${found ?? 'its default of 1800000'} ms, and handlers need ${wait}`
  const remedy = `rabbitmqctl set_policy timeout-${name} '^${name.replaceAll('.', '\\.')}$' '{"consumer-timeout":${wait}}' --apply-to queues`
  return [{ level: 'warning', subject, says, remedy }]
}
