// Plays one phone whose session is in our store, and any number of others who write to it, with the real package.
// One JSON object a line in, one out; an "event" in between tells that a set is on its way.
import { createInterface } from 'readline'
import { randomBytes } from 'crypto'
import {
  addTransactionCapability, BufferJSON, Curve, decodePatches, encodeSyncdPatch, generateSignalPubKey, initAuthCreds,
  makeCacheableSignalKeyStore, newLTHashState, proto
} from '@whiskeysockets/baileys'
import { makeLibSignalRepository } from '@whiskeysockets/baileys/lib/Signal/libsignal.js'
import { Store } from './store.mjs'

console.error = console.warn = console.info = console.log = () => {} // libsignal prints session records
const say = object => process.stdout.write(JSON.stringify(object) + '\n')
const log = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, child: () => log, level: 'silent' }
const path = process.argv[2]
const ME = '70001230000:12@s.whatsapp.net'
const peers = {}
const programs = {} // that run our session: one, but for the test with two
let me

const memory = () => {
  const rows = new Map()
  const name = (type, id) => `${type}\n${id}`
  return {
    get: async (type, ids) => Object.fromEntries(ids.filter(id => rows.has(name(type, id)))
      .map(id => [id, JSON.parse(rows.get(name(type, id)), BufferJSON.reviver)])),
    set: async data => {
      for (const type in data) for (const id in data[type]) {
        const value = data[type][id]
        if (value) rows.set(name(type, id), JSON.stringify(value, BufferJSON.replacer))
        else rows.delete(name(type, id))
      }
    }
  }
}

const party = (jid, creds, store, tries) => {
  const keys = addTransactionCapability(store, log, { maxCommitRetries: tries, delayBetweenTriesMs: 5 })
  return { jid, creds, keys, signal: makeLibSignalRepository({ creds, keys }, log) }
}

const makePreKeys = async (of, count) => {
  const made = {}
  for (let n = 0; n < count; n++) made[of.creds.nextPreKeyId++] = Curve.generateKeyPair()
  await of.keys.set({ 'pre-key': made })
}

const bundle = async (of, preKeyId) => {
  const { [preKeyId]: preKey } = await of.keys.get('pre-key', [String(preKeyId)])
  const { signedPreKey, signedIdentityKey, registrationId } = of.creds
  return {
    registrationId,
    identityKey: generateSignalPubKey(signedIdentityKey.public),
    signedPreKey: {
      keyId: signedPreKey.keyId,
      publicKey: generateSignalPubKey(signedPreKey.keyPair.public),
      signature: signedPreKey.signature
    },
    preKey: { keyId: preKeyId, publicKey: generateSignalPubKey(preKey.public) }
  }
}

const operations = {
  // Begins as a new process would: with what the store has, and nothing else. A cache stands before it on demand.
  async start({ who = 'me', tries = 1, cached = false }) {
    const store = new Store(path, (types, pid) => say({ event: 'set', types, pid }))
    let creds = await store.loadCreds()
    const isNew = !creds
    if (isNew) {
      creds = { ...initAuthCreds(), me: { id: ME, name: 'Салон «Тест» 💇' } }
      await store.saveCreds(creds)
    }
    programs[who]?.signal.close()
    programs[who] = party(ME, creds, cached ? makeCacheableSignalKeyStore(store, log) : store, tries)
    programs[who].store = store
    return { isNew }
  },
  async prekeys({ count }) {
    await makePreKeys(me, count)
    await me.store.saveCreds(me.creds)
    return { next: me.creds.nextPreKeyId }
  },
  // Somebody who begins to write to us with one of our pre-keys, or to whom we begin to write.
  async meet({ peer, preKeyId }) {
    const found = (peers[peer] = party(peer, initAuthCreds(), memory(), 1))
    await makePreKeys(found, 1)
    if (preKeyId) await found.signal.injectE2ESession({ jid: ME, session: await bundle(me, preKeyId) })
    else await me.signal.injectE2ESession({ jid: peer, session: await bundle(found, 1) })
    return {}
  },
  async write({ peer, text }) {
    peers[peer].letter = await peers[peer].signal.encryptMessage({ jid: ME, data: Buffer.from(text) })
    return { type: peers[peer].letter.type }
  },
  async read({ peer }) {
    const text = await me.signal.decryptMessage({ jid: peer, ...peers[peer].letter })
    return { text: Buffer.from(text).toString() }
  },
  async reply({ peer, text }) {
    const letter = await me.signal.encryptMessage({ jid: peer, data: Buffer.from(text) })
    return { text: Buffer.from(await peers[peer].signal.decryptMessage({ jid: ME, ...letter })).toString() }
  },
  // A member of a group tells us its key once, and then writes.
  async introduce({ peer, group }) {
    const { signal } = peers[peer]
    const item = { groupId: group, axolotlSenderKeyDistributionMessage: (await signal.encryptGroupMessage({ group, meId: peer, data: Buffer.from('') })).senderKeyDistributionMessage }
    await me.signal.processSenderKeyDistributionMessage({ item, authorJid: peer })
    return {}
  },
  async hear({ peer, group, text }) {
    const { ciphertext } = await peers[peer].signal.encryptGroupMessage({ group, meId: peer, data: Buffer.from(text) })
    return { text: Buffer.from(await me.signal.decryptGroupMessage({ group, authorJid: peer, msg: ciphertext })).toString() }
  },
  async learn({ mappings }) {
    await me.signal.lidMapping.storeLIDPNMappings(mappings)
    return {}
  },
  async resolve({ phone }) {
    return { lid: await me.signal.lidMapping.getLIDForPN(phone) }
  },
  // Changes the state of the app, and reads the change back with what the store has: its MACs are verified.
  async change({ name, text }) {
    const getKey = async id => (await me.keys.get('app-state-sync-key', [id]))[id]
    if (!me.creds.myAppStateKeyId) {
      me.creds.myAppStateKeyId = randomBytes(6).toString('base64')
      const keyData = proto.Message.AppStateSyncKeyData.fromObject({ keyData: randomBytes(32), fingerprint: { rawId: 1, currentIndex: 0, deviceIndexes: [0] }, timestamp: 1762800000000 })
      await me.keys.set({ 'app-state-sync-key': { [me.creds.myAppStateKeyId]: keyData } })
      await me.store.saveCreds(me.creds)
    }
    const { [name]: before } = await me.keys.get('app-state-sync-version', [name])
    const action = { type: name, index: ['contact', text], syncAction: { timestamp: 1762800000000, contactAction: { fullName: text } }, apiVersion: 2, operation: proto.SyncdMutation.SyncdOperation.SET }
    const { patch, state } = await encodeSyncdPatch(action, me.creds.myAppStateKeyId, before ?? newLTHashState(), getKey)
    const decoded = await decodePatches(name, [{ ...patch, version: { version: state.version } }], before ?? newLTHashState(), getKey, {})
    if (Buffer.compare(decoded.state.hash, state.hash)) throw new Error('the state of the app is not what it was')
    await me.keys.set({ 'app-state-sync-version': { [name]: state } })
    return { version: state.version, names: Object.values(decoded.mutationMap).map(one => one.syncAction.value.contactAction.fullName) }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { op, ...fields } = JSON.parse(line)
  me = programs[fields.who ?? 'me']
  try {
    say({ answer: await operations[op](fields) })
  } catch (error) {
    say({ error: `${error.name}: ${error.message}` })
  }
}
process.exit(0)
