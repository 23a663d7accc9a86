// Messages read aloud where the browser can speak: fills <fieldset id="speech"> with a switch and its voices.

const place = document.querySelector("#speech") as HTMLFieldSetElement;
const synthesis: SpeechSynthesis | undefined = globalThis.speechSynthesis;

place.innerHTML = `
  <label><input type="checkbox" name="aloud"> read messages aloud</label>
  <label class="row">voice <select name="voice"></select></label>
  <p></p>`;
const aloud = place.querySelector("input") as HTMLInputElement;
const voices = place.querySelector("select") as HTMLSelectElement;

// Voices arrive some time after the page has loaded.
synthesis?.addEventListener("voiceschanged", listVoices);
listVoices();

function listVoices() {
  const chosen = voices.value;
  const known = synthesis?.getVoices() ?? [];
  voices.replaceChildren(
    ...known.map((voice) => new Option(`${voice.name} (${voice.lang})`, voice.voiceURI)),
  );
  if (known.some((voice) => voice.voiceURI === chosen)) voices.value = chosen;
  aloud.disabled = known.length === 0;
  (voices.parentElement as HTMLElement).hidden = known.length === 0;
  const hint = place.querySelector("p") as HTMLElement;
  hint.hidden = known.length > 0;
  hint.textContent = "This browser has no voice.";
}

/** Speaks `text` with the chosen voice, when the switch is on. */
export function readAloud(text: string): void {
  if (!synthesis || !aloud.checked) return;
  // Many messages would be read for minutes. A few wait to be read, and the others are only shown.
  if (synthesis.pending) return;
  const speech = new SpeechSynthesisUtterance(text);
  speech.voice = synthesis.getVoices().find((voice) => voice.voiceURI === voices.value) ?? null;
  synthesis.speak(speech);
}
