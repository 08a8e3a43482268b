// Lets what is made for Node 22 run on Node 20, which lacks this one function.
Promise.withResolvers ??= function withResolvers() {
  let resolve, reject;
  const promise = new this((fulfil, refuse) => { resolve = fulfil; reject = refuse; });
  return { promise, resolve, reject };
};
