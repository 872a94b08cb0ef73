// words.js - what the words on this page mean: a sentence for each message, and where it is written.
'use strict';

const V13 = 'RFC 9846';
const V12 = 'RFC 5246';

// By HandshakeType: [what it does (TLS 1.3), its section, what it does (TLS 1.2), its section]
const MESSAGES = {
  1: ['Your browser opens: what it can speak, a fresh random number, the name it wants to reach, and its '
      + 'half of one or more key exchanges, sent before it knows which one the server takes.',
  `${V13} 4.2.2`,
  'Your browser opens: the versions, suites and groups that it can speak, a fresh random number, and the '
      + 'name it wants to reach.',
  `${V12} 7.4.1.2`],
  2: ['The server has chosen version and cipher suite, and sends its half of the key exchange. From here on '
      + 'both sides have a shared secret that nobody in between can compute.',
  `${V13} 4.2.3`,
  'The server has chosen version and cipher suite, and sends its own random number.',
  `${V12} 7.4.1.3`],
  4: ['The handshake is over; this is for the next one. Whoever shows this ticket again needs no certificate '
      + 'and no signature: it carries a secret that came out of this connection.',
  `${V13} 4.7.1`,
  'A ticket, for the next time: with it both sides skip the certificate and the key exchange.',
  'RFC 5077 3.3'],
  5: ['The end of what the browser sent ahead of the handshake (0-RTT).', `${V13} 4.6`, '', ''],
  8: ['Answers that need not be seen by others, the application protocol among them. It is the first message '
      + 'that is encrypted.',
  `${V13} 4.4.1`, '', ''],
  11: ['Who the server is: its chain of certificates, encrypted, so that somebody who listens does not learn '
      + 'which site this is from it.',
  `${V13} 4.5.1`,
  'Who the server is: its chain of certificates, in clear.', `${V12} 7.4.2`],
  12: ['', '', 'The server\'s half of the key exchange, signed with the key of its certificate.', 'RFC 8422 5.4'],
  13: ['The server would like to know who you are, too.', `${V13} 4.4.2`,
    'The server would like to know who you are, too.', `${V12} 7.4.4`],
  14: ['', '', 'The server has said its part; the browser is next.', `${V12} 7.4.5`],
  15: ['A signature over every byte that was exchanged so far. It proves that the other side holds the private '
      + 'key of its certificate, now and for this conversation.',
  `${V13} 4.5.2`,
  'A signature over the handshake so far: proof of holding the certificate\'s private key.', `${V12} 7.4.8`],
  16: ['', '', 'The browser\'s half of the key exchange. Both sides can compute the keys now.', 'RFC 8422 5.7'],
  20: ['A checksum of the whole handshake under a key that only the two ends have. Had anybody changed a bit on '
      + 'the way, it would not match.',
  `${V13} 4.5.3`,
  'A checksum of the whole handshake under the new keys: had anybody changed a bit, it would not match.',
  `${V12} 7.4.9`],
  22: ['', '', 'The certificate authority\'s word that the certificate is not revoked, brought along by the '
      + 'server (OCSP stapling).', 'RFC 6066 8'],
  24: ['One side moves on to the next key; the old one is wiped.', `${V13} 4.7.3`, '', ''],
  25: ['Who the server is: its chain of certificates, compressed, because it is the largest thing that the server '
      + 'has to say.',
  'RFC 8879 4', '', ''],
};

const RETRY = ['The browser sent no key share that this server prefers. It asks for another one: a round trip '
  + 'more.', `${V13} 4.2.4`];

const INNER = ['What the browser really asks for, the server\'s name above all. It came encrypted inside the message '
  + 'above, whose own name is one that many sites share.', 'RFC 9849 5.1'];

// What a message does: { text, where }
export function explain(message, version) {
  if (message.inner) {
    return { text: INNER[0], where: INNER[1] };
  }
  if (message.type === 2 && message.text.startsWith('HelloRetryRequest')) {
    return { text: RETRY[0], where: RETRY[1] };
  }
  const row = MESSAGES[message.type];
  if (row === undefined) {
    return { text: 'A message that this page has no words for.', where: V13 };
  }
  const [text, where] = version === 'TLS 1.2' ? row.slice(2) : row;
  return { text: text || row[0] || row[2], where: where || row[1] || row[3] };
}

// Which choices are told with which message
export const CHOICES = {
  2: ['version', 'cipher suite', 'group', 'retry', 'resumption', 'PSK', 'early data', 'Encrypted Client Hello'],
  11: ['certificate', 'raw public key', 'certificate type'],
  25: ['certificate', 'certificate compression', 'certificate type'],
  12: ['group', 'signature scheme'],
  15: ['signature scheme'],
};

export function groupNote(tls) {
  if (tls.group === null) {
    return 'no key exchange of its own: the keys come from the ticket alone';
  }
  return tls.post_quantum
    ? 'a hybrid with ML-KEM: who records this today needs to break both halves, quantum computer or not (RFC 10024)'
    : 'elliptic curves alone: good today; a large quantum computer could read what was recorded';
}

const CIPHERS = { AES_128_GCM: 'AES-128-GCM', AES_256_GCM: 'AES-256-GCM', CHACHA20_POLY1305: 'ChaCha20-Poly1305' };

export function cipherShort(name) {
  for (const [key, text] of Object.entries(CIPHERS)) {
    if (name.includes(key)) {
      return text;
    }
  }
  return name.replace(/^TLS_/, '');
}

export const ECH = {
  none: ['not used', 'the server name went in clear (RFC 9849)'],
  accepted: ['accepted', 'nobody on the way saw the name you asked for (RFC 9849)'],
  rejected: ['not opened', 'what your browser sent is a decoy, or for another key; the name went in clear (RFC 9849 6)'],
};

export const EARLY = {
  none: ['none', 'nothing was sent ahead of the handshake (RFC 9846 2.3)'],
  accepted: ['accepted', 'the request travelled with the first message: no round trip was waited for (RFC 9846 2.3)'],
  rejected: ['refused', 'what was sent ahead was dropped, and sent again after the handshake (RFC 9846 2.3)'],
};

// Why a browser may trust the chain, by what the server knows of its last issuer.
export const ANCHORS = {
  public: (issuer) => `Your browser found a path from the server's certificate to a root in its own store, most `
    + `likely by ${issuer}, a name that is among the public roots of this server's system as well. Which path it `
    + 'took it does not tell a page.',
  development: (issuer) => `Your browser accepts it because ${issuer} is in a trust store that it reads. cleat cert `
    + 'dev has made that CA on somebody\'s own machine, for that machine: everywhere else there is a warning in place '
    + 'of this page.',
  private: (issuer) => `${issuer} is none of the public roots that this server's system knows. Either an administrator `
    + '(or you) has put it into the trust store that your browser reads, or a warning was clicked away. A page cannot '
    + 'tell which.',
  'self-signed': () => 'The certificate vouches for itself. Either somebody has put it into the trust store that your '
    + 'browser reads, or a warning was clicked away. A page cannot tell which.',
};
