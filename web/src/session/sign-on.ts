/** Why somebody was not signed on, and what they can do next. */
type Words = { what: string; detail: string };

const AGAIN = "Begin again with the button.";
const ADMINISTRATOR = "Ask an administrator of this laboratory.";

// The codes stand in docs/api.md.
const REFUSALS: Record<string, Words> = {
  "sign_on.not_expected": {
    what: "This sign-in is over",
    detail: `It took longer than ten minutes, was used already, or was begun in another browser. ${AGAIN}`,
  },
  "sign_on.state_differs": {
    what: "This sign-in was not begun here",
    detail: `The answer belongs to another sign-in, perhaps one in another window. ${AGAIN}`,
  },
  "sign_on.provider_refused": {
    what: "The identity provider did not let you in",
    detail:
      "You went back, or it gives you no access to Loopwright. Try again, or ask those who run the identity provider.",
  },
  "sign_on.provider_unreachable": {
    what: "The identity provider does not answer",
    detail: "Try again in a moment. Whoever has a password here can sign in with it.",
  },
  "sign_on.provider_answer": {
    what: "The identity provider answers what it should not",
    detail: `Most likely it is configured wrongly, here or there. ${ADMINISTRATOR} Whoever has a password here can sign in with it.`,
  },
  "sign_on.token_invalid": {
    what: "What the identity provider said proves nothing",
    detail: `${AGAIN} If it happens once more, ask an administrator: the audit log says what was wrong.`,
  },
  "sign_on.email_not_verified": {
    what: "Your e-mail address is not verified",
    detail:
      "The identity provider does not answer for your address, so that it cannot be told whose account is yours. Verify it there, or ask an administrator.",
  },
  "sign_on.no_account": {
    what: "There is no account for you",
    detail: `Nobody has made one that awaits your e-mail address. ${ADMINISTRATOR}`,
  },
  "sign_on.has_password": {
    what: "Your account has a password",
    detail: "Sign in with your name and password, or ask an administrator to let the account sign on.",
  },
  "sign_on.linked_to_another": {
    what: "The account is linked to somebody else",
    detail: `Your e-mail address belongs to an account that another user of the identity provider signs on to. ${ADMINISTRATOR}`,
  },
  "sign_on.name_taken": {
    what: "Your name is taken",
    detail: `The name that your account would have is known here as somebody else's. ${ADMINISTRATOR}`,
  },
  "sign_on.not_configured": {
    what: "Nobody signs on by an identity provider here",
    detail: "Sign in with a name and a password.",
  },
  "session.account_disabled": {
    what: "This account is disabled",
    detail: `It is switched off. ${ADMINISTRATOR}`,
  },
  "session.throttled": {
    what: "Too many tries",
    detail: "Too many sign-ins from here have failed. Wait a quarter of an hour.",
  },
};

const OTHER: Words = {
  what: "You are not signed in",
  detail: "Try again in a moment. If it happens once more, ask an administrator.",
};

/** In words. The code stands in a link that anybody can write: one that is none is not shown. */
export function refusalOf(code: string): Words & { code: string } {
  const words = (Object.hasOwn(REFUSALS, code) ? REFUSALS[code] : undefined) ?? OTHER;
  return { ...words, code: /^[a-z_]{1,40}\.[a-z_]{1,40}$/.test(code) ? code : "sign_on.unknown" };
}

export const KNOWN_REFUSALS = Object.keys(REFUSALS);
