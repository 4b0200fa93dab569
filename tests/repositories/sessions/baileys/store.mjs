// The store of Baileys, kept by a bridge at the other end of a socket: ai_admin.sessions.bridge says what goes over it.
import { connect } from 'net'
import { createInterface } from 'readline'
import { BufferJSON, proto } from '@whiskeysockets/baileys'

const lost = () => Object.assign(new Error('the bridge is gone'), { isLost: true })

// Baileys takes a read that fails for "there is none", so a read is repeated when its bridge was lost.
const repeated = async read => {
  try {
    return await read()
  } catch (error) {
    if (!error.isLost) throw error
    return read()
  }
}

export class Store {
  constructor(path, onSet = () => {}) {
    this.path = path
    this.onSet = onSet
    this.pending = new Map()
    this.last = 0
  }

  // Connects when it is needed, and again after the bridge was lost; the first line tells the bridge's process id.
  async connected() {
    if (this.link) return this.link
    const socket = connect(this.path)
    const lines = createInterface({ input: socket })
    for (const one of [socket, lines]) one.on('error', () => {}) // 'close' follows
    const link = await new Promise((resolve, reject) => {
      lines.once('line', line => resolve({ socket, pid: JSON.parse(line).pid }))
      socket.once('close', () => reject(lost()))
    })
    lines.on('line', line => this.settle(JSON.parse(line, BufferJSON.reviver)))
    socket.on('close', () => {
      if (this.link === link) this.link = undefined
      for (const [id, { socket: of, reject }] of this.pending)
        if (of === socket) {
          this.pending.delete(id)
          reject(lost())
        }
    })
    this.link = link
    return link
  }

  settle({ id, value, error }) {
    const { resolve, reject } = this.pending.get(id)
    this.pending.delete(id)
    if (error) reject(Object.assign(new Error(error.message), { name: error.name }))
    else resolve(value)
  }

  async ask(op, fields = {}) {
    const { socket, pid } = await this.connected()
    const id = ++this.last
    const answer = new Promise((resolve, reject) => this.pending.set(id, { socket, resolve, reject }))
    socket.write(JSON.stringify({ id, op, ...fields }, BufferJSON.replacer) + '\n')
    if (op === 'set') this.onSet(Object.keys(fields.data), pid)
    return answer
  }

  loadCreds = async () => (await repeated(() => this.ask('load_creds'))) ?? undefined
  saveCreds = creds => this.ask('save_creds', { creds })
  set = data => this.ask('set', { data })

  get = async (type, ids) => {
    const found = await repeated(() => this.ask('get', { type, ids }))
    if (type === 'app-state-sync-key')
      for (const id in found) found[id] = proto.Message.AppStateSyncKeyData.fromObject(found[id])
    return found
  }
}
