export const nagExceptions = [];
