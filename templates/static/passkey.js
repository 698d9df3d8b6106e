// Passkeys at the desk: signing in with one, and making one on the account's page. Without
// this script the buttons stay hidden and the password does it.
(() => {
  "use strict";
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const described = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const post = async (url, body) => {
    const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify(body) });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.message || said.detail || said.title);
    return said;
  };

  const make = async ({ key, options }) => {
    const made = await navigator.credentials.create({ publicKey: {
      ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: described(options.excludeCredentials),
    } });
    return { key, answer: {
      id: made.id, rawId: text(made.rawId), type: made.type, authenticatorAttachment: made.authenticatorAttachment || undefined,
      clientExtensionResults: made.getClientExtensionResults(),
      response: {
        clientDataJSON: text(made.response.clientDataJSON), attestationObject: text(made.response.attestationObject),
        transports: made.response.getTransports ? made.response.getTransports() : [],
      },
    } };
  };

  const use = async ({ key, options }) => {
    const used = await navigator.credentials.get({ publicKey: {
      ...options, challenge: bytes(options.challenge), allowCredentials: described(options.allowCredentials),
    } });
    return { key, answer: {
      id: used.id, rawId: text(used.rawId), type: used.type, authenticatorAttachment: used.authenticatorAttachment || undefined,
      clientExtensionResults: used.getClientExtensionResults(),
      response: {
        clientDataJSON: text(used.response.clientDataJSON), authenticatorData: text(used.response.authenticatorData),
        signature: text(used.response.signature), userHandle: used.response.userHandle ? text(used.response.userHandle) : undefined,
      },
    } };
  };

  for (const box of document.querySelectorAll("[data-passkey]")) {
    const form = box.closest("form") || box;
    const say = box.querySelector("[data-passkey-say]");
    const typed = (name) => (form.elements && form.elements[name] ? form.elements[name].value : box.dataset[name] || "");
    box.hidden = false;
    const go = async (event) => {
      event.preventDefault();
      say.textContent = "";
      try {
        const begun = await post(box.dataset.begin, { password: typed("password"), name: typed("name") });
        const answer = await (box.dataset.passkey === "make" ? make : use)(begun);
        const done = await post(box.dataset.finish, { ...answer, name: typed("name"), next: box.dataset.next || "" });
        location.assign(done.next);
      } catch (error) {
        // The browser's own "not allowed" means that the person has closed its window.
        say.textContent = error.name === "NotAllowedError" || error.name === "AbortError" ? box.dataset.cancelled : error.message;
      }
    };
    if (form !== box) form.addEventListener("submit", go);
    else box.querySelector("button").addEventListener("click", go);
  }
})();
