/** As much of React as one component with hooks needs: state, effects with dependencies, references, callbacks. */
let current = null;

function slot(make) {
  const { slots } = current;
  const at = current.next++;
  if (at === slots.length) slots.push(make());
  return slots[at];
}

const same = (one, other) => one && other && one.length === other.length && one.every((value, at) => Object.is(value, other[at]));

export function useState(initial) {
  const instance = current;
  const own = slot(() => {
    const made = { value: typeof initial === "function" ? initial() : initial };
    made.set = (next) => {
      const value = typeof next === "function" ? next(made.value) : next;
      if (Object.is(value, made.value)) return;
      made.value = value;
      instance.invalidate();
    };
    return made;
  });
  return [own.value, own.set];
}

export function useRef(initial) {
  return slot(() => ({ current: initial }));
}

export function useCallback(callback, dependencies) {
  const own = slot(() => ({}));
  if (!same(own.dependencies, dependencies)) Object.assign(own, { callback, dependencies });
  return own.callback;
}

export function useEffect(effect, dependencies) {
  const own = slot(() => ({}));
  if (dependencies && same(own.dependencies, dependencies)) return;
  own.dependencies = dependencies;
  current.effects.push(() => {
    own.cleanup?.();
    own.cleanup = effect();
  });
}

/** Run a component for ever; `show` gets what it returns, each time. */
export function mount(component, show) {
  const instance = { slots: [], effects: [], next: 0, pending: false };
  const render = () => {
    instance.pending = false;
    instance.next = 0;
    instance.effects = [];
    current = instance;
    const result = component();
    current = null;
    show(result);
    for (const effect of instance.effects) effect();
  };
  instance.invalidate = () => {
    if (instance.pending) return;
    instance.pending = true;
    queueMicrotask(render);
  };
  render();
}
