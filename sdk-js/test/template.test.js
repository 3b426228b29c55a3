/** Route templates: no value of a parameter ever stands in one. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Template, routePath } from '../src/middleware/template.js'

/** @param {[base: string, params: Record<string, unknown>][]} entered */
function through(entered, path = '/x', begin = '') {
  const template = new Template(begin)
  entered.forEach(([base, params]) => template.at(base, params))
  template.found(path)
  return template.route
}

describe('a template', () => {
  it('names the parameters of the routers that a request went through', () => {
    assert.equal(through([['/users/42', { id: '42' }]]), '/users/:id/x')
    assert.equal(through([['/users/a%20b', { id: 'a b' }]]), '/users/:id/x')
    assert.equal(through([['/users/42', { id: '42' }], ['/users/42/orders/42', { order: '42' }]]), '/users/:id/orders/:order/x')
    assert.equal(through([['/a/1', { x: '1' }], ['', {}]], '/'), '/')
    assert.equal(through([['/files/a/b/c', { rest: ['a', 'b', 'c'] }]]), '/files/*rest/x')
    assert.equal(through([['/files/a/b/1', { 0: 'a/b', id: '1' }]]), '/files/*0/:id/x')
    assert.equal(through([['/bad/%zz', { id: '%zz' }]]), '/bad/:id/x')
  })

  it('a route at the root of a router is the path of the router', () => {
    assert.equal(through([['/users', {}]], '/'), '/users')
    assert.equal(through([], '/'), '/')
    assert.equal(through([], ''), '/')
  })

  it('what was matched before anybody looked is not told', () => {
    assert.equal(through([['/users/ann/orders', {}]], '/:id', '/users/ann'), '*/orders/:id')
  })

  it('a path may be a pattern, or several', () => {
    assert.equal(routePath(['/a', /^\/b\d+$/]), '/a|/^\\/b\\d+$/')
    assert.equal(routePath(undefined), '')
  })
})
