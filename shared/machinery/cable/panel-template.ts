// The drawer's markup. Everything that changes is filled in by panel.ts. No <section>: on a slide, it would be a slide.

export const template = `
<div class="wire" role="region" aria-label="The cable">
  <div class="wire-bar">
    <button type="button" class="wire-fold" aria-expanded="false" aria-controls="wire-body">The cable</button>
    <p class="wire-chips" aria-live="polite"></p>
    <p class="wire-sum"></p>
  </div>
  <div class="wire-body" id="wire-body" hidden>
    <div class="wire-steer">
      <svg class="wire-picture" viewBox="0 8 320 46" role="img" aria-labelledby="wire-words">
        <rect class="end page" x="1" y="14" width="62" height="34" rx="6"/>
        <text x="32" y="35">page</text>
        <path class="line up" d="M63 20h62M195 20h62"/>
        <path class="line down" d="M63 31h62M195 31h62"/>
        <path class="line some" d="M63 42h62M195 42h62"/>
        <rect class="joint" x="125" y="10" width="70" height="42" rx="6"/>
        <text class="word" x="160" y="35">open</text>
        <text class="word-some" x="160" y="44"></text>
        <circle class="dot up" r="4" cx="63" cy="20"/><circle class="dot down" r="4" cx="257" cy="31"/>
        <rect class="end server" x="257" y="14" width="62" height="34" rx="6"/>
        <text x="288" y="35">server</text>
      </svg>
      <p class="wire-words" id="wire-words"></p>
      <div class="wire-buttons" role="group" aria-label="Let the network fail">
        <button type="button" data-command="freeze" aria-pressed="false" title="Nothing gets through, and nothing closes">Freeze</button>
        <button type="button" data-command="close" title="Sends a FIN to both ends: an orderly end">End (FIN)</button>
        <button type="button" data-command="reset" title="Sends an RST to both ends: an abrupt end">Reset</button>
        <button type="button" data-command="refuse" aria-pressed="false" title="Refuses new connections; open ones stay">Refuse</button>
        <button type="button" data-command="heal" class="heal" title="Removes every fault">Heal</button>
      </div>
      <div class="wire-buttons" role="group" aria-label="The server's process">
        <button type="button" data-command="kill" aria-pressed="false" title="SIGKILL: the server can't say goodbye. Restart brings it back">Kill the server</button>
        <button type="button" data-command="stop" aria-pressed="false" title="The server says goodbye, and is back after ten seconds">Stop it for 10 s</button>
        <button type="button" data-command="restart" title="The server says goodbye, and is back immediately">Restart</button>
      </div>
      <div class="wire-settings">
        <label class="wide">which <select name="connection"><option value="">all</option></select></label>
        <p class="wire-notice wide" aria-live="polite"></p>
        <label>way <select name="direction"><option value="both">both ways</option><option value="up">page → server</option><option value="down">page ← server</option></select></label>
        <label>delay <select name="delay"><option value="0">none</option><option value="100">100 ms</option><option value="500">500 ms</option><option value="2000">2 s</option><option value="20000">20 s</option></select></label>
        <label>jitter <select name="jitter"><option value="0">none</option><option value="50">± 50 ms</option><option value="300">± 300 ms</option></select></label>
        <label>throttle <select name="throttle"><option value="">none</option><option value="50000">50 kB/s</option><option value="5000">5 kB/s</option><option value="500">500 B/s</option></select></label>
        <label class="wide">when healed <select name="frozen"><option value="deliver">what was frozen arrives</option><option value="drop">what was frozen is lost</option></select></label>
      </div>
      <p class="wire-error" aria-live="polite"></p>
    </div>
    <div class="wire-log">
      <div class="wire-filter">
        <label><input type="checkbox" name="control" checked> ping, pong, close</label>
        <label><input type="checkbox" name="tcp" checked> TCP</label>
        <label>only <select name="only"><option value="">all connections</option></select></label>
        <button type="button" name="pause" aria-pressed="false">Pause</button>
        <button type="button" name="clear">Clear</button>
        <span class="wire-left-out"></span>
      </div>
      <div class="wire-rows" role="group" tabindex="0" aria-label="What passes, one row each"></div>
    </div>
  </div>
</div>`;
