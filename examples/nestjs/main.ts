import { NestFactory } from '@nestjs/core'
import { AppModule } from './app.module.ts'

void (async () => {
  const app = await NestFactory.create(AppModule)
  await app.listen(process.env.PORT ?? 3000)
  console.log(`${(await app.getUrl()).replace('[::1]', 'localhost')}/webhooks`)
})()
