import assert from 'node:assert/strict'
import { aggregate, command, decide, event, handle, isObverseError, type Schema, unchecked } from 'obverse'
import { given } from 'obverse/testing'
import { describe, expect, test } from 'vitest'
import { Deposit, Deposited, deposit, Note, Open, Opened, openAccount } from './accounts.ts'

const opened = Opened({ id: 'a', limit: 100 })

describe('given, when, then', () => {
  test('passes for the events that the decision makes', () => {
    given(opened)
      .when(deposit, Deposit({ id: 'a', amount: 5 }))
      .then(Deposited({ id: 'a', amount: 5 }))
  })

  test('runs the schema of the command, defaults included', () => {
    given()
      .when(openAccount, Open({ id: 'a' }))
      .then(opened)
    given()
      .when(openAccount, Open({ id: '' }))
      .thenRefused('VALIDATION_FAILED')
  })

  test('folds the history', () => {
    const history = [opened, Deposited({ id: 'a', amount: 60 })]
    given(...history)
      .when(deposit, Deposit({ id: 'a', amount: 41 }))
      .then()
    given(...history)
      .when(deposit, Deposit({ id: 'a', amount: 40 }))
      .then(Deposited({ id: 'a', amount: 40 }))
  })

  test('fails with a diff for other events', () => {
    const wrong = () =>
      given(opened)
        .when(deposit, Deposit({ id: 'a', amount: 5 }))
        .then(Deposited({ id: 'a', amount: 6 }))
    expect(wrong).toThrow(assert.AssertionError)
    expect(wrong).toThrow(/amount: 5[\s\S]*amount: 6/)
  })

  test('fails for events when a refusal came, and for a refusal when events came', () => {
    const ended = () => given(opened).when(openAccount, Open({ id: 'a' }))
    expect(() => ended().then(opened)).toThrow(/was refused \(REFUSED: already open\)/)
    expect(() =>
      given()
        .when(openAccount, Open({ id: 'a' }))
        .thenRefused(),
    ).toThrow(/was not refused; it led to .*account\.opened/)
  })

  test('knows a refusal by code, reason, text or pattern, and no other', () => {
    const ended = () => given(opened).when(openAccount, Open({ id: 'a' }))
    for (const expected of [undefined, 'REFUSED', 'twice', 'already open', /open$/]) ended().thenRefused(expected)
    for (const expected of ['NOT_FOUND', 'already', /^open/]) {
      expect(() => ended().thenRefused(expected)).toThrow(assert.AssertionError)
    }
  })

  test('answers with a promise where a schema is asynchronous', async () => {
    const later: Schema<{ id: string }> = {
      '~standard': { version: 1, vendor: 'test', validate: async (value) => ({ value: value as { id: string } }) },
    }
    const Go = command('go', later)
    const Went = event('went', unchecked<{ id: string }>())
    const go = decide(Go, { aggregate: aggregate('trip', () => 0).on(Went, (n) => n + 1), id: (c) => c.id }, (c) =>
      Went(c),
    )
    await given()
      .when(go, Go({ id: 'a' }))
      .then(Went({ id: 'a' }))
    await assert.rejects(
      async () =>
        given()
          .when(go, Go({ id: 'a' }))
          .then(Went({ id: 'b' })),
      assert.AssertionError,
    )
  })

  test('throws what the decision throws, and says that handle() needs an application', () => {
    const broken = decide(Note, { aggregate: aggregate('n', () => 0), id: () => 'n' }, () => {
      throw new TypeError('a mistake')
    })
    expect(() => given().when(broken, Note({ text: '' }))).toThrow(/a mistake/)
    const effect = handle(Note, () => {})
    expect(() => given().when(effect, Note({ text: '' }))).toThrow(/testApp/)
  })

  test('is not taken for a promise', async () => {
    const ended = given(opened).when(deposit, Deposit({ id: 'a', amount: 5 }))
    await assert.rejects(Promise.resolve(ended as unknown), /end it with \.then/)
    assert.ok(!isObverseError(ended))
  })
})
