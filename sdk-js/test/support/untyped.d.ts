declare module 'express-oldest'
