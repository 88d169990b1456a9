import type { Command } from './command.ts'
import { ask } from './commands/ask.ts'
import { cancel } from './commands/cancel.ts'
import { channelsList, channelsPeek, channelsPut } from './commands/channels.ts'
import { consume } from './commands/consume.ts'
import { describe } from './commands/describe.ts'
import { doctor } from './commands/doctor.ts'
import { failedEdit, failedList, failedRetry, failedShow, failedSkip } from './commands/failed.ts'
import { logTail } from './commands/log.ts'
import { migrate } from './commands/migrate.ts'
import { projectionsList, projectionsRun, projectionsSwitch, projectionsVerify } from './commands/projections.ts'
import { projectionsRebuild } from './commands/rebuild.ts'
import { relay } from './commands/relay.ts'
import { reset } from './commands/reset.ts'
import { send } from './commands/send.ts'
import { status } from './commands/status.ts'
import { trace } from './commands/trace.ts'

/** Every command, in the order help shows them. */
export const COMMANDS: readonly Command[] = [
  describe,
  doctor,
  migrate,
  reset,
  relay,
  consume,
  channelsList,
  channelsPeek,
  channelsPut,
  failedList,
  failedShow,
  failedRetry,
  failedEdit,
  failedSkip,
  projectionsList,
  projectionsRun,
  projectionsRebuild,
  projectionsVerify,
  projectionsSwitch,
  logTail,
  trace,
  status,
  cancel,
  send,
  ask,
]

/** First words with what they are about; those of several commands are a group. */
export const GROUPS: Readonly<Record<string, string>> = Object.fromEntries(
  COMMANDS.map(({ words, about }) => [words.split(' ')[0] ?? words, about]).concat([
    ['channels', 'shows channels, and the messages that wait in them'],
    ['failed', 'shows dead letters and decides about them'],
    ['projections', 'shows, rebuilds, verifies and switches projections'],
    ['log', 'shows what was committed'],
  ]),
)
