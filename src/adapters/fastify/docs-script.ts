/** Script of the documentation page. Texts of the document are only ever set as text, never as markup. */
export const docsScript: string = String.raw`
const make = (tag, props = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), props)
  node.append(...children.filter((child) => child !== undefined && child !== null))
  return node
}
const resolve = (doc, node) => {
  if (!node || !node.$ref) return node || {}
  return resolve(doc, node.$ref.slice(2).split('/').reduce((at, step) => at[step.replaceAll('~1', '/')], doc))
}
const typeOf = (doc, given) => {
  const schema = resolve(doc, given)
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  const any = schema.anyOf || schema.oneOf
  if (any) return any.map((each) => typeOf(doc, each)).join(' | ')
  if (schema.type === 'array') return 'array of ' + typeOf(doc, schema.items)
  return (schema.type || 'any') + (schema.format ? ' (' + schema.format + ')' : '')
}
const limitsOf = (doc, given) => {
  const schema = resolve(doc, given)
  const names = ['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'multipleOf', 'default']
  return names.filter((name) => schema[name] !== undefined).map((name) => name + ' ' + JSON.stringify(schema[name])).join(', ')
}
const example = (doc, given, depth = 0) => {
  const schema = resolve(doc, given)
  if (schema.examples) return schema.examples[0]
  if (schema.default !== undefined) return schema.default
  if (schema.enum) return schema.enum[0]
  if (schema.anyOf) return example(doc, schema.anyOf[0], depth)
  if (depth > 6) return null
  if (schema.type === 'object') {
    const fields = Object.entries(schema.properties || {})
    return Object.fromEntries(fields.map(([name, field]) => [name, example(doc, field, depth + 1)]))
  }
  if (schema.type === 'array') return [example(doc, schema.items, depth + 1)]
  if (schema.type === 'integer' || schema.type === 'number') return Math.max(schema.minimum || 0, 1)
  if (schema.type === 'boolean') return true
  if (schema.format === 'email') return 'john@example.com'
  if (schema.format === 'uuid') return crypto.randomUUID()
  return 'text'
}
const row = (doc, name, schema, required, note) =>
  make('tr', {},
    make('td', {}, name, required ? make('span', { className: 'must', title: 'required' }, ' *') : undefined),
    make('td', {}, typeOf(doc, schema)),
    make('td', { className: 'faint' }, [note, limitsOf(doc, schema)].filter(Boolean).join(' · ')))
const rowsOf = (doc, given, prefix = '', depth = 0) => {
  const schema = resolve(doc, given)
  if (depth > 4) return []
  return Object.entries(schema.properties || {}).flatMap(([name, field]) => {
    const found = resolve(doc, field)
    const path = prefix + name
    const rows = [row(doc, path, field, (schema.required || []).includes(name), found.description)]
    if (found.type === 'object') rows.push(...rowsOf(doc, found, path + '.', depth + 1))
    const items = found.type === 'array' ? resolve(doc, found.items) : {}
    if (items.type === 'object') rows.push(...rowsOf(doc, items, path + '[].', depth + 1))
    return rows
  })
}
const titled = (title, rows) => rows.length === 0 ? [] : [make('h3', {}, title), make('table', {}, ...rows)]
const bodyOf = (operation) => operation.requestBody && operation.requestBody.content['application/json'].schema

const form = (doc, path, method, operation) => {
  const parameters = (operation.parameters || []).map((each) => resolve(doc, each))
  const inputs = parameters.map((each) => make('input', { name: each.name, placeholder: typeOf(doc, each.schema), autocomplete: 'off' }))
  const schema = bodyOf(operation)
  const body = schema && make('textarea', { spellcheck: false, ariaLabel: 'body' }, JSON.stringify(example(doc, schema), null, 2))
  const output = make('pre', { hidden: true, ariaLive: 'polite' })
  const send = async () => {
    const headers = {}
    const search = new URLSearchParams()
    let url = path
    parameters.forEach((each, at) => {
      const { value } = inputs[at]
      if (each.in === 'path') url = url.replace('{' + each.name + '}', encodeURIComponent(value))
      else if (value === '') return
      else if (each.in === 'query') search.append(each.name, value)
      else headers[each.name] = value
    })
    if (body) headers['content-type'] = 'application/json'
    const query = search.toString()
    output.hidden = false
    try {
      const answer = await fetch(url + (query ? '?' + query : ''), { method, headers, ...(body && { body: body.value }) })
      const text = await answer.text()
      const shown = ['location', 'link', 'consistency-token', 'retry-after', 'allow'].filter((name) => answer.headers.has(name))
      const pretty = () => { try { return JSON.stringify(JSON.parse(text), null, 2) } catch { return text } }
      output.textContent = [answer.status + ' ' + answer.statusText, ...shown.map((name) => name + ': ' + answer.headers.get(name)), '', pretty()].join('\n')
    } catch (error) {
      output.textContent = String(error)
    }
  }
  return make('form', { onsubmit: (event) => { event.preventDefault(); send() } },
    make('h3', {}, 'Try it'),
    ...parameters.map((each, at) => make('label', {}, make('span', {}, each.name + ' ', make('span', { className: 'faint' }, each.in)), inputs[at])),
    body, make('button', {}, 'Send'), output)
}
const shown = (doc, path, method, operation) => {
  const schema = bodyOf(operation)
  const parameters = (operation.parameters || []).map((each) => resolve(doc, each))
  const answers = Object.entries(operation.responses).map(([status, given]) =>
    make('tr', {}, make('td', {}, status), make('td', {}, resolve(doc, given).description)))
  const verb = make('span', { className: 'method' }, method)
  verb.style.color = 'var(--' + method + ')'
  return make('details', { id: operation.operationId },
    make('summary', {}, verb, make('span', { className: 'path' }, path), make('span', { className: 'says' }, operation.summary || operation.operationId)),
    make('div', { className: 'inside' },
      operation.description ? make('p', {}, operation.description) : undefined,
      ...titled('Parameters', parameters.map((each) => row(doc, each.name, each.schema, each.required, each.in + ' · ' + (each.description || '')))),
      ...titled('Body', schema ? rowsOf(doc, schema) : []),
      ...titled('Answers', answers),
      form(doc, path, method, operation)))
}
const render = (doc) => {
  document.getElementById('about').textContent = [doc.info.description, 'Version ' + doc.info.version].filter(Boolean).join(' · ')
  const operations = Object.entries(doc.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => shown(doc, path, method.toUpperCase(), operation)))
  document.getElementById('operations').replaceChildren(...operations)
  document.getElementById('schemas').replaceChildren(...Object.entries(doc.components.schemas).map(([name, schema]) =>
    make('details', {}, make('summary', {}, make('span', { className: 'path' }, name)),
      make('div', { className: 'inside' }, make('pre', {}, JSON.stringify(schema, null, 2))))))
  const wanted = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)))
  if (wanted) wanted.open = true
}
fetch(document.body.dataset.document)
  .then((answer) => answer.json())
  .then(render)
  .catch((error) => { document.getElementById('operations').textContent = 'The document could not be read: ' + error })
`
