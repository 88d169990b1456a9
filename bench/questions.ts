import { appendPostgres1, appendPostgres10, appendPostgres100 } from './append-postgres.ts'
import { appendSqlite1, appendSqlite64 } from './append-sqlite.ts'
import { decideMemory } from './decide-memory.ts'
import { getMongodb, getSqlite } from './get.ts'
import { pipeSqlite } from './pipe-sqlite.ts'
import { postPostgres, postPostgresTables } from './post-postgres.ts'
import { postSqlite } from './post-sqlite.ts'
import { projectMongodb, projectPostgres, projectSqlite } from './project.ts'
import type { Question } from './question.ts'
import { queuePostgres } from './queue-postgres.ts'
import { consumeRabbitmq, relayRabbitmq } from './rabbitmq.ts'
import { send } from './send.ts'
import { visibleServers } from './visible-servers.ts'
import { visibleSqlite } from './visible-sqlite.ts'

/** All that can be asked: first what needs no server, then what needs some. */
export const QUESTIONS: readonly Question[] = [
  send,
  decideMemory,
  appendSqlite1,
  appendSqlite64,
  pipeSqlite,
  projectSqlite,
  postSqlite,
  getSqlite,
  getMongodb,
  visibleSqlite,
  appendPostgres1,
  appendPostgres10,
  appendPostgres100,
  relayRabbitmq,
  consumeRabbitmq,
  projectMongodb,
  projectPostgres,
  postPostgres,
  postPostgresTables,
  visibleServers,
  queuePostgres,
]
